import Synchronization

/// Writes of all this node's clients that were handed over and are not settled: they stay in memory until then, also when
/// their clients are gone.
final class WaitingWrites: Sendable {
    let limit: Int
    private let bytes = Atomic<Int>(0)

    init(limit: Int) { self.limit = limit }

    var current: Int { bytes.load(ordering: .relaxed) }
    var hasRoom: Bool { current < limit }

    func add(_ amount: Int) { bytes.wrappingAdd(amount, ordering: .relaxed) }
}
