import ArgumentParser
import Foundation
import Testing

@testable import roost_bench

@Suite("What a run comes to")
struct ReportTests {
    private static let write = Workload(.write, connections: 64)

    private func measurement(_ perSecond: Double, p50: Double = 1) -> roost_bench.Measurement {
        var cost = Cost()
        cost.processorMicrosecondsPerOperation = 30
        return roost_bench.Measurement(
            operations: Int(perSecond), seconds: 1,
            latency: LatencySummary(
                p50: p50, p99: 2, p999: 3, longest: 4, curve: LatencySummary.percentiles.map { _ in p50 }),
            cost: cost, command: ["roost-bench", "compare", "--only", "a b"])
    }

    /// Three rounds of Roost, RocksDB and etcd, one of which failed.
    private func report() -> Report {
        var report = Report(
            machine: Machine(directory: "/var/tmp", roostd: nil), effort: Effort(), missing: ["redis: not installed"])
        report.rounds = 3
        for rate in [3_000.0, 1_000, 2_000] {
            report.add(Sample(subject: .roost1, workload: Self.write, result: .measured(measurement(rate))))
            report.add(Sample(subject: .rocksdb, workload: Self.write, result: .measured(measurement(rate / 2))))
        }
        report.add(Sample(subject: .roost3, workload: Self.write, result: .measured(measurement(900))))
        report.add(Sample(subject: .etcd3, workload: Self.write, result: .measured(measurement(300))))
        report.add(Sample(subject: .redis, workload: Self.write, result: .failure("12 x SET: <BUSY> & full")))
        return report
    }

    @Test func `a figure is the median of its rounds, between the slowest and the fastest`() throws {
        let figure = try #require(report().figure(.roost1, Self.write))
        #expect(figure.perSecond == 2_000)
        #expect(figure.lowest == 1_000)
        #expect(figure.highest == 3_000)
        #expect(figure.rounds == 3)
        #expect(figure.command == "roost-bench compare --only 'a b'")
        #expect(figure.ratio(to: report().figure(.rocksdb, Self.write)) == 2)
        #expect(figure.ratio(to: nil) == nil)
    }

    @Test func `targets are met or missed by what was measured, and left out without figures`() throws {
        let outcomes = Targets.check(report())
        let raw = try #require(outcomes.first { $0.name.contains("raw RocksDB with 64 threads") })
        #expect(raw.value == 2 && raw.isMet && raw.difference == "met, 33 % above")
        let etcd = try #require(outcomes.first { $0.name == "3 nodes SET, 64 connections, to etcd with 3 nodes" })
        #expect(etcd.value == 3 && etcd.isMet)
        let cost = try #require(outcomes.first { $0.unit == "us" })
        #expect(!cost.isMet && cost.difference == "missed, 11 % above")
        // Redis failed: there is nothing to compare with.
        #expect(!outcomes.contains { $0.name.contains("Redis") })
    }

    @Test func `the table has a row for each figure, and says what failed and what is missing`() {
        let lines = Table.text(report()).split(separator: "\n").map(String.init)
        let row = lines.first { $0.hasPrefix("  Roost, 1 node") }
        #expect(
            row?.split(separator: " ").suffix(10).map(String.init) == [
                "2,000", "1,000", "3,000", "1.000", "2.000", "3.000", "30.0", "-", "-", "-",
            ])
        #expect(lines.contains("  redis: not installed"))
        #expect(lines.contains { $0.contains("12 x SET: <BUSY> & full") })
        #expect(lines.filter { $0.hasPrefix("  Redis") }.count == 1)
    }

    @Test func `the JSON holds every figure with its command`() throws {
        let path = NSTemporaryDirectory() + "roost-bench-test-\(getpid()).json"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try report().writeJSON(to: path)
        let data = try Data(contentsOf: URL(fileURLWithPath: path))
        let document = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        let figures = try #require(document["figures"] as? [[String: Any]])
        #expect(figures.count == 4)
        #expect(figures.allSatisfy { ($0["command"] as? String)?.hasPrefix("roost-bench") == true })
        #expect((document["failures"] as? [String])?.count == 1)
        #expect((document["percentiles"] as? [Double])?.count == 51)
    }

    @Test func `the page is whole, and nothing in it is taken for markup`() {
        let page = Page.html(report())
        #expect(page.contains("&lt;BUSY&gt; &amp; full"))
        #expect(!page.contains("<BUSY>"))
        #expect(!page.contains("http://") && !page.contains("https://") && !page.contains("<script"))
        for tag in ["svg", "g", "div", "table", "h3", "details"] {
            let opened = page.ranges(of: "<\(tag)>").count + page.ranges(of: "<\(tag) ").count
            #expect(opened == page.ranges(of: "</\(tag)>").count, "\(tag)")
        }
        // A bar for each subject.
        #expect(page.contains("Roost 2.00×"))
        #expect(!page.contains("nan") && !page.contains("inf "))
    }

    @Test func `axes have round ticks that reach beyond what is drawn`() {
        let axis = LineChart.Axis.linear(upTo: 83_000, "x") { "\(Int($0))" }
        #expect(axis.ticks.map(\.label) == ["0", "25000", "50000", "75000", "100000"])
        let decades = LineChart.Axis.logarithmic(1...1_000, "x") { "\(Int($0))" }
        #expect(decades.ticks.map(\.label) == ["1", "2", "5", "10", "20", "50", "100", "200", "500", "1000"])
        #expect(abs(decades.position(10) - 1 / 3.0) < 1e-9)
        #expect(axis.position(200_000) == 1)
    }
}

@Suite("A campaign")
struct CampaignTests {
    /// Gives a figure, or fails.
    private struct Fake: Subject {
        let kind: SubjectKind
        var fails = false
        var startFails = false

        func carries(_ workload: Workload) -> Bool { kind != .etcd1 || workload.pipeline == 1 }

        func start(in folder: String) throws -> any RunningSubject {
            if startFails { throw BenchError("does not start") }
            return Running(fails: fails)
        }

        final class Running: RunningSubject {
            let fails: Bool
            init(fails: Bool) { self.fails = fails }
            func stop() {}
            func measure(_ workload: Workload, _ effort: Effort) throws -> roost_bench.Measurement {
                if fails { throw BenchError("wrong reply") }
                return roost_bench.Measurement(
                    operations: 10, seconds: 1, latency: Latencies().summary, cost: Cost(), command: ["x"])
            }
        }
    }

    @Test func `what fails is told, and the others are measured`() throws {
        let workspace = try Workspace(in: "/var/tmp")
        defer { workspace.remove() }
        let plan = Plan(
            workloads: [Workload(.write, connections: 1), Workload(.write, connections: 1, pipeline: 16)],
            effort: Effort(), rounds: 2, timeLimit: .seconds(60))
        var campaign = Campaign(
            plan: plan,
            subjects: [
                Fake(kind: .roost1), Fake(kind: .redis, fails: true), Fake(kind: .roost3, startFails: true),
                Fake(kind: .etcd1),
            ],
            workspace: workspace)
        var report = Report(
            machine: Machine(directory: "/var/tmp", roostd: nil), effort: plan.effort, missing: [])
        try campaign.run(&report)
        #expect(report.rounds == 2)
        #expect(report.figures(plan.workloads[0]).map(\.subject) == [.roost1, .etcd1])
        #expect(report.figures(plan.workloads[1]).map(\.subject) == [.roost1])
        #expect(report.figures(plan.workloads[0]).allSatisfy { $0.rounds == 2 && $0.perSecond == 10 })
        #expect(report.failureLines.filter { $0.hasSuffix("wrong reply") }.count == 4)
        #expect(report.failureLines.filter { $0.hasSuffix("does not start") }.count == 2)
    }

    @Test func `options name workloads, subjects and times`() throws {
        let parsed = try CompareCommand.parse([
            "--only", "roost-1,redis", "--workload", "write,ycsb-f", "--connections", "1,64", "--rate", "100",
        ])
        #expect(parsed.only.flatMap(\.values) == [.roost1, .redis])
        #expect(parsed.workload.flatMap(\.values) == [.write, .ycsbF])
        #expect(parsed.connections.flatMap(\.values) == [1, 64])
        #expect(throws: (any Error).self) { try CompareCommand.parse(["--workload", "ycsb-e"]) }
        #expect(throws: (any Error).self) { try CompareCommand.parse(["--only", "mysql"]) }
        #expect(throws: (any Error).self) { try CompareCommand.parse(["--connections", "0"]) }
        #expect(TimeSpan(argument: "10m")?.seconds == 600)
        #expect(TimeSpan(argument: "90")?.seconds == 90)
        #expect(TimeSpan(argument: "m") == nil)
    }
}
