import Synchronization

/// Writers that hammer a cluster and note, write by write, what they were promised.
///
/// Every value is unique and every key belongs to one writer, so a look at the store afterwards tells what became of
/// each write: `Ledger.violations`. Beside its writes each writer reads its own last acknowledged value back through
/// another node, where it must be seen at once.
final class WriteLoad: Sendable {
    private let stopFlag = StopFlag()
    private let workers: Workers<WriterRecord>
    private let clock = AcknowledgementClock()

    /// Starts `writers` threads; writer n begins at port n modulo their number and moves on when a node fails it.
    init(ports: [UInt16], writers: Int, prefix: String) {
        let (stopFlag, clock) = (stopFlag, clock)
        workers = Workers(writers) { number in
            var writer = Writer(ports: ports, number: number, prefix: "\(prefix)-\(number)", clock: clock)
            return writer.run(until: stopFlag)
        }
    }

    /// Writes acknowledged so far, by all writers.
    var acknowledged: Int { clock.count }

    /// Starts the measurement of `recovery`.
    func markFault() { clock.mark() }

    /// From the mark to the first acknowledgement of a write begun after it; `nil` while there is none.
    var recovery: Duration? { clock.recovery }

    /// Ends the writers and waits for them.
    func stop() -> Ledger {
        stopFlag.raise()
        return Ledger(records: workers.join())
    }
}

/// Counts acknowledgements, and knows when the first write begun after a mark was acknowledged.
final class AcknowledgementClock: Sendable {
    private struct State {
        var count = 0
        var mark = ContinuousClock.now
        var firstAfterMark: ContinuousClock.Instant?
    }
    private let state = Mutex(State())

    var count: Int { state.withLock { $0.count } }

    func mark() {
        state.withLock { state in
            state.mark = .now
            state.firstAfterMark = nil
        }
    }

    /// From the mark to the first acknowledgement of a write begun after it; `nil` while there is none.
    var recovery: Duration? {
        state.withLock { state in state.firstAfterMark.map { $0 - state.mark } }
    }

    func tick(begun: ContinuousClock.Instant, ended: ContinuousClock.Instant) {
        state.withLock { state in
            state.count += 1
            if begun > state.mark, state.firstAfterMark == nil { state.firstAfterMark = ended }
        }
    }
}
