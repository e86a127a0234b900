import Foundation
import RESP
import Testing

extension ProcessTests {
    @Suite("Replicas compare their states") struct ReplicaComparisonTests {
        private let sandbox = Sandbox.current!
        /// Passes one after the other, in slices that are much smaller than the state.
        private static let eager = [
            "--compare-interval", "200ms", "--compare-rate-bytes", "64MiB", "--compare-slice-bytes", "64KiB",
            "--fault-injection", "yes", "--max-unflushed-entries", "500",
        ]
        private static let keys = 3_000

        private func key(_ number: Int) -> String { "k\(10_000 + number)" }

        private func fill(_ node: DaemonProcess) throws {
            let connection = try node.connect()
            let value = String(repeating: "v", count: 100)
            for start in stride(from: 0, to: Self.keys, by: 100) {
                let commands = (start..<start + 100).map { ["SET", key($0), "\($0)-\(value)"] }
                for reply in try connection.pipeline(commands) where reply != .ok { throw TestFailure("\(reply)") }
            }
        }

        private func metric(_ name: String, at node: DaemonProcess) throws -> Int {
            let lines = try node.get("/metrics").body.split(separator: "\n")
            let line = lines.first { $0.hasPrefix("\(name) ") }
            return Int(line?.split(separator: " ").last ?? "") ?? -1
        }

        private func passes(_ cluster: Cluster) throws -> Int {
            try cluster.nodes.reduce(0) { $0 + (try metric("roost_compare_passes_total", at: $1)) }
        }

        /// The control: what differs is never the comparison itself.
        @Test func `clean nodes under load, restarts and elections raise no alarm`() throws {
            let cluster = try Cluster(sandbox, timing: .shipped, arguments: Self.eager)
            try fill(cluster.nodes[0])
            let load = WriteLoad(ports: cluster.nodes.map(\.settings.redis), writers: 6, prefix: "clean")
            for round in 1...3 {
                let before = try passes(cluster)
                try eventually("passes end") { try passes(cluster) >= before + 4 ? () : nil }
                let victim = round == 2 ? try cluster.leader() : try cluster.followers()[0]
                try victim.kill()
                pause(.milliseconds(500))
                try victim.start()
                try victim.waitUntilServing()
            }
            let before = try passes(cluster)
            try eventually("passes end after the last restart") { try passes(cluster) >= before + 4 ? () : nil }
            let ledger = load.stop()
            #expect(ledger.acknowledged > 500)
            for node in cluster.nodes {
                #expect(try node.status().alarms == [])
                #expect(try metric("roost_compare_differences_total", at: node) == 0)
                #expect(!node.log.contains("replicas differ"))
                #expect(try metric("roost_compare_bytes_total", at: node) > 0)
            }
        }

        @Test(arguments: [false, true])
        func `a replica that went astray is named, with the first key`(isLeader: Bool) throws {
            let cluster = try Cluster(sandbox, arguments: Self.eager)
            try fill(cluster.nodes[0])
            let leader = try cluster.leader()
            let victim = isLeader ? leader : try cluster.followers()[0]
            let others = cluster.nodes.filter { $0 !== victim }.map { "\($0.node)" }.joined(separator: ",")

            // Two values are applied wrongly there, and nowhere else.
            let admin = try victim.connect()
            #expect(try admin("ROOST.DEBUG", "FAILPOINT", "SET", "state-put", "alter") == .ok)
            for number in [2_500, 1_234] {
                #expect(try cluster.nodes[0].connect()("SET", key(number), "right") == .ok)
            }
            // A read there waits until it has applied them; a status may be a moment old.
            for number in [2_500, 1_234] { #expect(try admin("GET", key(number)) != .text("right")) }
            #expect(try admin("ROOST.DEBUG", "FAILPOINT", "OFF", "ALL") == .ok)

            let words = "the state of node \(victim.node) differs from that of nodes \(others) at entry "
            for node in cluster.nodes {
                try eventually("node \(node.node) says so") {
                    let alarms = try node.status().alarms
                    return alarms.contains { $0.hasPrefix(words) && $0.contains("first at the key \(key(1_234)): ") }
                        ? () : nil
                }
                #expect(node.log.contains("first at the key \(key(1_234))"))
            }
            #expect(try metric("roost_compare_differences_total", at: leader) > 0)
            #expect(try metric("roost_compare_replicas_differ", at: leader) == 1)
            let control = ControlTool(sandbox: sandbox, ports: cluster.nodes.map(\.settings.redis))
            let run = try control("status")
            #expect(run.exit == .code(1), "\(run)")
            #expect(run.output.components(separatedBy: words).count == 2, "\(run)")

            // What it says helps. A leader that stops is no leader any more: its successor knows of it.
            #expect(try victim.terminate() == .code(0))
            let repair = try ChildProcess(
                [Binaries.roostd, "repair", "--drop-state", "--data-dir", victim.settings.directory],
                environment: Binaries.environment, output: sandbox.newFolder("repair"))
            sandbox.adopt(repair)
            #expect(try repair.wait() == .code(0))
            try victim.start()
            try victim.waitUntilServing()
            try eventually("the alarm ends everywhere") {
                try cluster.nodes.allSatisfy { try $0.status().alarms.isEmpty } ? () : nil
            }
            #expect(try victim.connect()("GET", key(1_234)) == .text("right"))
        }
    }
}
