import Foundation
import Synchronization

/// Threads that each make one result.
final class Workers<Result: Sendable>: Sendable {
    private let results: Mutex<[Result?]>
    private let finished = DispatchSemaphore(value: 0)
    private let count: Int

    /// Starts `count` threads; `body` gets the number of its thread.
    init(_ count: Int, _ body: @escaping @Sendable (Int) -> Result) {
        self.count = count
        results = Mutex(Array(repeating: nil, count: count))
        for number in 0..<count {
            Thread.detachNewThread { [self] in
                let result = body(number)
                results.withLock { $0[number] = result }
                finished.signal()
            }
        }
    }

    /// Waits for all of them; may be called again. The bodies bound their own time.
    func join() -> [Result] {
        for _ in 0..<count { finished.wait() }
        for _ in 0..<count { finished.signal() }
        return results.withLock { $0.compactMap(\.self) }
    }
}

/// Says "enough" to workers.
final class StopFlag: Sendable {
    private let flag = Atomic(false)
    var isRaised: Bool { flag.load(ordering: .acquiring) }
    func raise() { flag.store(true, ordering: .releasing) }
}

/// Counts what several threads do.
final class Counter: Sendable {
    private let count = Atomic(0)
    var value: Int { count.load(ordering: .relaxed) }
    func add() { count.add(1, ordering: .relaxed) }
}
