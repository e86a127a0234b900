import Glibc
import Synchronization

/// How many threads are inside of something, counted on cache lines that threads seldom share: entering and leaving
/// cost one atomic addition each, however many event loops read at once.
///
/// `@unchecked Sendable`: the counters are atomic; their memory is made by `init` and freed by `deinit`.
final class StripedCount: @unchecked Sendable {
    private static let stripes = 16
    /// Two cache lines: processors fetch them in pairs.
    private static let countersPerStripe = 128 / MemoryLayout<Atomic<Int>>.stride
    private let counters: UnsafeMutablePointer<Atomic<Int>>

    init() {
        counters = .allocate(capacity: Self.stripes * Self.countersPerStripe)
        for position in 0..<Self.stripes * Self.countersPerStripe {
            (counters + position).initialize(to: Atomic(0))
        }
    }

    deinit {
        counters.deinitialize(count: Self.stripes * Self.countersPerStripe)
        counters.deallocate()
    }

    /// The counter of the calling thread, for `add` and `subtract`: a thread leaves where it entered.
    var mine: UnsafeMutablePointer<Atomic<Int>> {
        // Threads' descriptors lie whole pages apart: mix the high bits in (Fibonacci hashing).
        let mixed = UInt64(pthread_self()) &* 0x9E37_79B9_7F4A_7C15
        return counters + Int(mixed >> 60) * Self.countersPerStripe
    }

    /// Whether nobody was inside at some moment of the call for each stripe; who enters meanwhile may be missed.
    var isZero: Bool {
        (0..<Self.stripes).allSatisfy { stripe in
            counters[stripe * Self.countersPerStripe].load(ordering: .sequentiallyConsistent) == 0
        }
    }
}
