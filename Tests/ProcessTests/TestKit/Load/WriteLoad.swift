import Synchronization

/// Writers that hammer a cluster and note, write by write, what they were promised.
///
/// Every value is unique and every key belongs to one writer, so a look at the store afterwards tells what became of
/// each write: `Ledger.violations`. Beside its writes each writer reads its own last acknowledged value back through
/// another node, where it must be seen at once.
final class WriteLoad: Sendable {
    private let stopFlag = StopFlag()
    private let workers: Workers<WriterRecord>
    private let acknowledgedCount: CountingClock

    /// Starts `writers` threads; writer n begins at port n modulo their number and moves on when a node fails it.
    init(ports: [UInt16], writers: Int, prefix: String) {
        let stopFlag = self.stopFlag
        let clock = CountingClock()
        acknowledgedCount = clock
        workers = Workers(writers) { number in
            var writer = Writer(ports: ports, number: number, prefix: "\(prefix)-\(number)", clock: clock)
            return writer.run(until: stopFlag)
        }
    }

    /// Writes acknowledged so far, by all writers.
    var acknowledged: Int { acknowledgedCount.value }

    /// Ends the writers and waits for them.
    func stop() -> Ledger {
        stopFlag.raise()
        return Ledger(records: workers.join())
    }
}

/// A counter that threads share.
final class CountingClock: Sendable {
    private let count = Atomic(0)
    var value: Int { count.load(ordering: .relaxed) }
    func tick() { count.add(1, ordering: .relaxed) }
}
