package import AdminHTTP
import Synchronization

/// How long something took, many times: counters over fixed buckets from 10 µs to 10 s, in steps of 1, 2.5, 5.
///
/// Recording is wait-free and costs about 20 ns, from any thread: buckets are the same for all, so that
/// histograms of several nodes can be added up.
package final class LatencyHistogram: Sendable {
    /// Inclusive upper bounds in nanoseconds, ascending; above the last is one more bucket without bound.
    package static let upperBounds: [UInt64] = [
        10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
        1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000, 100_000_000, 250_000_000, 500_000_000,
        1_000_000_000, 2_500_000_000, 5_000_000_000, 10_000_000_000,
    ]

    private let counts = InlineArray<20, Atomic<UInt64>> { _ in Atomic(0) }
    private let sum = Atomic<UInt64>(0)

    package init() {}

    /// Counts one event, or `count` events that took as long each.
    package func record(nanoseconds: UInt64, count: UInt64 = 1) {
        let bucket = Self.upperBounds.firstIndex { nanoseconds <= $0 } ?? Self.upperBounds.count
        counts[bucket].wrappingAdd(count, ordering: .relaxed)
        sum.wrappingAdd(nanoseconds &* count, ordering: .relaxed)
    }

    /// Counts one event. Negative durations count as 0.
    package func record(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        guard seconds >= 0, attoseconds >= 0 else { return record(nanoseconds: 0) }
        record(nanoseconds: UInt64(seconds) &* 1_000_000_000 &+ UInt64(attoseconds / 1_000_000_000))
    }

    /// What was counted so far. Events recorded meanwhile may be in a bucket and not yet in the sum.
    package func snapshot() -> MetricsText.Histogram {
        var cumulative: UInt64 = 0
        var buckets: [MetricsText.Histogram.Bucket] = []
        for (index, bound) in Self.upperBounds.enumerated() {
            cumulative += counts[index].load(ordering: .relaxed)
            buckets.append(.init(upperBound: Double(bound) / 1e9, cumulativeCount: cumulative))
        }
        cumulative += counts[Self.upperBounds.count].load(ordering: .relaxed)
        return .init(buckets: buckets, count: cumulative, sum: Double(sum.load(ordering: .relaxed)) / 1e9)
    }
}
