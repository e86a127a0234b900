import Foundation
import Testing

@testable import roost_bench

@Suite("Medians, percentiles and ratios")
struct StatisticsTests {
    @Test func `the median of an even number is between the middle two`() {
        #expect(median([]) == nil)
        #expect(median([3]) == 3)
        #expect(median([9, 1, 5]) == 5)
        #expect(median([4, 1, 3, 2]) == 2.5)
    }

    @Test func `percentiles are within a thousandth of the exact ones`() {
        var latencies = Latencies()
        for microsecond in 1...100_000 { latencies.record(nanoseconds: UInt64(microsecond) * 1_000) }
        for (percentile, exact) in [(50.0, 50.0), (99, 99), (99.9, 99.9), (100, 100)] {
            #expect(abs(latencies.milliseconds(at: percentile) - exact) < exact / 500)
        }
        #expect(latencies.count == 100_000)
    }

    @Test func `what takes longer than can be recorded is not dropped`() {
        var latencies = Latencies()
        latencies.record(nanoseconds: .max)
        #expect(latencies.count == 1)
        #expect(latencies.milliseconds(at: 100) >= 100_000)
    }

    @Test func `two threads' latencies come together`() {
        var (first, second) = (Latencies(), Latencies())
        for _ in 0..<99 { first.record(nanoseconds: 1_000_000) }
        second.record(nanoseconds: 50_000_000)
        first.add(second)
        #expect(first.count == 100)
        #expect(abs(first.milliseconds(at: 50) - 1) < 0.01)
        #expect(abs(first.milliseconds(at: 100) - 50) < 0.1)
    }

    @Test func `the curve goes from the median's left to 99.999 per cent`() {
        #expect(LatencySummary.percentiles[0] == 0)
        #expect(abs(LatencySummary.percentiles[10] - 90) < 1e-9)
        #expect(abs(LatencySummary.percentiles[50] - 99.999) < 1e-9)
        var latencies = Latencies()
        latencies.record(nanoseconds: 2_000_000)
        #expect(latencies.summary.curve.count == LatencySummary.percentiles.count)
    }

    @Test func `costs are differences over operations`() {
        var (before, after) = (ProcessUsage(), ProcessUsage())
        (before.processorSeconds, before.writtenBytes, before.syncs) = (1, 1_000, 10)
        (after.processorSeconds, after.writtenBytes, after.syncs, after.residentBytes) = (1.5, 51_000, 60, 7)
        let cost = Cost(from: before, to: after, operations: 100)
        #expect(cost.processorMicrosecondsPerOperation == 5_000)
        #expect(cost.writtenBytesPerOperation == 500)
        #expect(cost.syncsPerOperation == 0.5)
        #expect(cost.residentBytes == 7)
        after.syncs = nil
        #expect(Cost(from: before, to: after, operations: 100).syncsPerOperation == nil)
    }

    @Test func `this process has used some time and memory`() {
        let usage = ProcessUsage.of([getpid()])
        #expect(usage.residentBytes > 1 << 20)
        #expect(usage.processorSeconds >= 0)
        #expect(ProcessUsage.of([]).writtenBytes == nil)
    }

    @Test func `a metric is found by its whole name`() {
        let text = "# HELP a_count x\na_count 12\na_count_more 3\nb{c=\"d\"} 4\nb 5e1\n"
        #expect(MetricsProbe.value("a_count", in: text) == 12)
        #expect(MetricsProbe.value("b", in: text) == 50)
        #expect(MetricsProbe.value("a", in: text) == nil)
    }
}
