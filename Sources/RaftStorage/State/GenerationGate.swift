import Synchronization

/// The generation of the state that is read and written now, and how it is exchanged under readers on many threads.
///
/// A reader enters the generation, looks whether it is still the current one, and reads; whoever exchanged it meanwhile
/// sees the reader in its count, or the reader sees the new generation: both operations are sequentially consistent, so
/// one of them comes first. No reader ever waits, and a retired generation's family is given free once its count is 0.
final class GenerationGate<Family: Sendable>: Sendable {
    /// Lives as long as the gate, being small: a reader may look at one that is long retired.
    final class Generation: Sendable {
        let number: UInt64
        let family: Family
        fileprivate let readers = StripedCount()

        init(number: UInt64, family: Family) {
            self.number = number
            self.family = family
        }
    }

    private struct Generations {
        /// All that ever were, for their memory.
        var all: [Generation]
        /// Retired, and perhaps still read.
        var retired: [Generation] = []
    }

    private let generations: Mutex<Generations>
    private let pointer: Atomic<Unmanaged<Generation>>

    init(number: UInt64, family: Family) {
        let first = Generation(number: number, family: family)
        generations = Mutex(Generations(all: [first]))
        pointer = Atomic(.passUnretained(first))
    }

    /// The current generation, for the only thread that exchanges it and for those that run in turn with it.
    var current: Generation { pointer.load(ordering: .acquiring).takeUnretainedValue() }

    /// Gives `body` the current family, which stays readable until it returns.
    @inline(__always)
    func withCurrent<R, E: Error>(_ body: (Family) throws(E) -> R) throws(E) -> R {
        try withCurrentGeneration { (family, _) throws(E) in try body(family) }
    }

    /// The same, with the generation's number.
    @inline(__always)
    func withCurrentGeneration<R, E: Error>(_ body: (Family, UInt64) throws(E) -> R) throws(E) -> R {
        while true {
            let found = pointer.load(ordering: .acquiring)
            let generation = found.takeUnretainedValue()
            let count = generation.readers.mine
            count.pointee.add(1, ordering: .sequentiallyConsistent)
            defer { count.pointee.subtract(1, ordering: .sequentiallyConsistent) }
            guard pointer.load(ordering: .sequentiallyConsistent).toOpaque() == found.toOpaque() else { continue }
            return try body(generation.family, generation.number)
        }
    }

    /// Makes another family the current one; the one before it is retired.
    func exchange(number: UInt64, family: Family) {
        let next = Generation(number: number, family: family)
        generations.withLock { generations in
            generations.retired.append(current)
            generations.all.append(next)
            pointer.store(.passUnretained(next), ordering: .sequentiallyConsistent)
        }
    }

    /// Takes out the retired families that nobody reads any more.
    func takeDrained() -> [Family] {
        generations.withLock { generations in
            let drained = generations.retired.filter { $0.readers.isZero }
            generations.retired.removeAll { generation in drained.contains { $0 === generation } }
            return drained.map(\.family)
        }
    }
}
