import Foundation
import Synchronization
import Testing

@testable import roost_bench

@Suite("The load generator against servers that answer well and badly")
struct LoadTests {
    private func plan(_ workload: Workload, _ port: UInt16, checks: Bool = true) -> LoadPlan {
        LoadPlan(
            address: LoopbackAddress(port: port), workload: workload, records: 100, warmup: .zero,
            time: .milliseconds(200), threads: 1, checksValues: checks)
    }

    @Test(arguments: [Traffic.write, .read, .mixed50, .ycsbA, .ycsbD, .ycsbF], [1, 16])
    func `every operation is answered and counted`(traffic: Traffic, pipeline: Int) throws {
        let server = try ScriptedServer()
        defer { server.stop() }
        try LoadGenerator.fill(LoopbackAddress(port: server.port), records: 100, valueBytes: 100)
        let tally = try LoadGenerator.run(plan(Workload(traffic, connections: 4, pipeline: pipeline), server.port))
        #expect(tally.failures == [:])
        #expect(tally.unanswered == 0)
        #expect(tally.operations > 0)
        #expect(tally.all.count >= tally.operations)
        #expect(tally.perSecond.reduce(0, +) == tally.operations)
        #expect((tally.reads.count > 0) == (traffic.reads > 0))
        #expect((tally.writes.count > 0) == (traffic.reads < 100))
    }

    @Test func `an error is a failure and is shown`() throws {
        let server = try ScriptedServer { _ in "-BUSY no room\r\n" }
        defer { server.stop() }
        let tally = try LoadGenerator.run(plan(Workload(.write, connections: 2), server.port))
        #expect(tally.operations == 0)
        #expect(tally.failures.keys.contains("SET: BUSY no room"))
        #expect(throws: BenchError.self) { try Measurement(tally, seconds: 1, cost: Cost(), command: []) }
    }

    @Test(arguments: ["$-1\r\n", ":1\r\n", "$3\r\nabc\r\n", "+OK\r\n"])
    func `a read that gives no value of its key is a failure`(reply: String) throws {
        let server = try ScriptedServer { _ in reply }
        defer { server.stop() }
        let tally = try LoadGenerator.run(plan(Workload(.read, connections: 1), server.port))
        #expect(tally.operations == 0)
        #expect(tally.failureCount > 0)
    }

    @Test func `another key's value is a failure`() throws {
        let value = String(repeating: "\u{7F}", count: 100)
        let server = try ScriptedServer { _ in "$100\r\n\(value)\r\n" }
        defer { server.stop() }
        let checked = try LoadGenerator.run(plan(Workload(.read, connections: 1), server.port))
        #expect(checked.failures.keys.contains("GET: the value is not one that was written to this key"))
        let unchecked = try LoadGenerator.run(plan(Workload(.read, connections: 1), server.port, checks: false))
        #expect(unchecked.failureCount == 0)
    }

    @Test func `a server that breaks off ends the load with a failure`() throws {
        let server = try ScriptedServer { _ in nil }
        defer { server.stop() }
        let tally = try LoadGenerator.run(plan(Workload(.write, connections: 3), server.port))
        #expect(tally.failures["a connection broke"] == 3)
    }

    @Test func `nobody there is an error, no figure`() throws {
        let port = try Port.free()
        #expect(throws: BenchError.self) { try LoadGenerator.run(plan(Workload(.write, connections: 1), port)) }
    }

    @Test func `an open loop sees the stall of a server in what comes after it`() throws {
        let stalled = Mutex(false)
        let server = try ScriptedServer { _ in
            if stalled.withLock({ old in
                defer { old = true }; return !old
            }) {
                pause(.milliseconds(100))
            }
            return "+OK\r\n"
        }
        defer { server.stop() }
        let tally = try LoadGenerator.run(plan(Workload(.write, connections: 1, rate: 1_000), server.port))
        #expect(tally.failures == [:])
        #expect(tally.unsent == 0)
        #expect(tally.all.count == 200)
        // A hundred operations should have begun in the 100 ms: half of all waited, the median of those 50 ms.
        #expect(tally.all.milliseconds(at: 75) > 40)
    }

    @Test func `replies that come in pieces are one reply`() throws {
        let server = try ScriptedServer(pieces: 3)
        defer { server.stop() }
        try LoadGenerator.fill(LoopbackAddress(port: server.port), records: 50, valueBytes: 16)
        let tally = try LoadGenerator.run(
            LoadPlan(
                address: LoopbackAddress(port: server.port),
                workload: Workload(.mixed50, valueBytes: 16, connections: 2, pipeline: 4),
                records: 50, warmup: .zero, time: .milliseconds(100), threads: 1))
        #expect(tally.failures == [:])
        #expect(tally.operations > 0)
    }
}
