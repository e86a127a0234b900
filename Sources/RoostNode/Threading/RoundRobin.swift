import Synchronization

/// Deals turns to `count` takers, from any thread.
final class RoundRobin: Sendable {
    private let turns = Atomic<UInt>(0)

    func turn(of count: Int) -> Int {
        Int(turns.wrappingAdd(1, ordering: .relaxed).oldValue % UInt(count))
    }
}
