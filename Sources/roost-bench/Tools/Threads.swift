import Foundation
import Synchronization

/// Threads that each make one result.
enum Threads {
    /// As many threads as that, whatever the number of processors.
    static func run<R: Sendable>(_ count: Int, _ body: @escaping @Sendable (Int) -> R) -> [R] {
        let results = Mutex([R?](repeating: nil, count: count))
        let finished = DispatchSemaphore(value: 0)
        for number in 0..<count {
            Thread.detachNewThread {
                let result = body(number)
                results.withLock { $0[number] = result }
                finished.signal()
            }
        }
        for _ in 0..<count { finished.wait() }
        return results.withLock { $0.compactMap(\.self) }
    }
}
