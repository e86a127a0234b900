import Foundation
import RESP
import Synchronization

/// Writes through each of some nodes, one write at a time, and notes when each was acknowledged: what a client sees of
/// an interruption.
final class WriteProbe: Sendable {
    private struct State: Sendable {
        /// By writer.
        var times: [[ContinuousClock.Instant]]
        var problems: [String] = []
    }

    private let isEnough = Atomic(false)
    private let state: Mutex<State>
    private let finished = DispatchSemaphore(value: 0)
    private let writers: Int

    init(ports: [UInt16]) {
        writers = ports.count
        state = Mutex(State(times: Array(repeating: [], count: ports.count)))
        for (number, port) in ports.enumerated() {
            Thread.detachNewThread { [self] in
                write(number, port)
                finished.signal()
            }
        }
    }

    /// The longest time between two acknowledgements of one writer, of which the later came after `begin`.
    func longestGap(since begin: ContinuousClock.Instant) -> Duration {
        state.withLock { state in
            state.times.flatMap { times in
                zip(times, times.dropFirst()).filter { $0.1 >= begin }.map { $0.1 - $0.0 }
            }.max() ?? .zero
        }
    }

    /// Whether every writer has seen an acknowledgement after that moment.
    func isAcknowledged(since begin: ContinuousClock.Instant) -> Bool {
        state.withLock { state in state.times.allSatisfy { $0.last.map { $0 >= begin } ?? false } }
    }

    /// Acknowledged writes in a second, of all writers.
    func rate(from begin: ContinuousClock.Instant, to end: ContinuousClock.Instant) -> Double {
        let count = state.withLock { state in
            state.times.reduce(0) { $0 + $1.count { $0 >= begin && $0 < end } }
        }
        return Double(count) / ((end - begin) / .seconds(1))
    }

    /// Ends the writers.
    ///
    /// - Returns: what was no acknowledgement.
    func stop() -> [String] {
        isEnough.store(true, ordering: .releasing)
        for _ in 0..<writers { finished.wait() }
        return state.withLock(\.problems)
    }

    private func write(_ number: Int, _ port: UInt16) {
        do {
            let connection = try CommandConnection(port: port)
            while !isEnough.load(ordering: .acquiring) {
                let reply = try connection("SET", "probe\(number)", "x")
                let isAcknowledged = reply == .simple("OK")
                state.withLock { state in
                    if isAcknowledged { state.times[number].append(.now) } else { state.problems.append("\(reply)") }
                }
            }
        } catch {
            state.withLock { $0.problems.append("writer \(number + 1): \(error)") }
        }
    }
}
