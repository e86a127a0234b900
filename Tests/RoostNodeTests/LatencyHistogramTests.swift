import AdminHTTP
import Testing

@testable import RoostNode

@Suite("Latency histogram")
struct LatencyHistogramTests {
    @Test func `an event falls into the first bucket whose bound it does not exceed`() {
        let bounds = LatencyHistogram.upperBounds
        #expect(bounds == bounds.sorted() && Set(bounds).count == bounds.count)
        for (index, bound) in bounds.enumerated() {
            let histogram = LatencyHistogram()
            histogram.record(nanoseconds: bound)
            histogram.record(nanoseconds: bound + 1)
            let counts = histogram.snapshot().buckets.map(\.cumulativeCount)
            #expect(counts[..<index].allSatisfy { $0 == 0 })
            #expect(counts[index] == 1)
            #expect(counts[(index + 1)...].allSatisfy { $0 == 2 })
            #expect(histogram.snapshot().count == 2)
        }
    }

    @Test func `sums are in seconds, durations and counts are taken too`() {
        let histogram = LatencyHistogram()
        histogram.record(.milliseconds(1500))
        histogram.record(nanoseconds: 250_000_000, count: 4)
        histogram.record(.seconds(-1))
        let snapshot = histogram.snapshot()
        #expect(snapshot.sum == 2.5)
        #expect(snapshot.count == 6)
        #expect(snapshot.buckets.first { $0.upperBound == 0.25 }?.cumulativeCount == 5)
        #expect(snapshot.buckets.last == .init(upperBound: 10, cumulativeCount: 6))
    }

    @Test func `no event is lost between threads`() async {
        let histogram = LatencyHistogram()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask { for i in 0..<5_000 { histogram.record(nanoseconds: UInt64(i) * 1_000_000) } }
            }
        }
        #expect(histogram.snapshot().count == 20_000)
    }
}
