import Foundation
import Histogram

/// How long operations took: an HDR histogram of nanoseconds with three significant digits, 1 us to 100 s.
struct Latencies: Sendable {
    private static let longest: UInt64 = 100_000_000_000
    private var histogram = Histogram<UInt64>(
        lowestDiscernibleValue: 1024, highestTrackableValue: Self.longest, numberOfSignificantValueDigits: .three)

    /// What is longer than 100 s counts as 100 s.
    @inline(__always)
    mutating func record(nanoseconds: UInt64) { histogram.record(min(nanoseconds, Self.longest)) }

    mutating func add(_ other: Latencies) { histogram.add(other.histogram) }

    var count: Int { Int(histogram.totalCount) }

    /// The time within which so many per cent of the operations ended; 0 of nothing.
    func milliseconds(at percentile: Double) -> Double {
        Double(histogram.valueAtPercentile(percentile)) / 1_000_000
    }

    var summary: LatencySummary {
        LatencySummary(
            p50: milliseconds(at: 50), p99: milliseconds(at: 99), p999: milliseconds(at: 99.9),
            longest: milliseconds(at: 100), curve: LatencySummary.percentiles.map(milliseconds(at:)))
    }
}

/// Milliseconds.
struct LatencySummary: Codable, Sendable {
    /// Those of `curve`: ten to each decade of what is left over, up to 99.999 %.
    static let percentiles: [Double] = (0...50).map { step in
        let left = Double(step) / 10
        return 100 * (1 - pow(10, -left))
    }

    var p50: Double
    var p99: Double
    var p999: Double
    var longest: Double
    /// At each of `percentiles`.
    var curve: [Double]

    /// Each figure the median of the rounds'.
    static func median(of rounds: [LatencySummary]) -> LatencySummary? {
        guard let first = rounds.first else { return nil }
        func middle(_ value: (LatencySummary) -> Double) -> Double { roost_bench.median(rounds.map(value)) ?? 0 }
        return LatencySummary(
            p50: middle(\.p50), p99: middle(\.p99), p999: middle(\.p999), longest: rounds.map(\.longest).max() ?? 0,
            curve: first.curve.indices.map { index in middle { $0.curve[index] } })
    }
}
