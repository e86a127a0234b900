import Foundation
import RESP
import Testing

extension ProcessTests {
    @Suite("Networks that fail on purpose") struct FaultInjectionTests {
        private let sandbox = Sandbox.current!
        private static let allowed = ["--fault-injection", "yes"]
        private static let isLong = ProcessInfo.processInfo.environment["ROOST_LONG"] == "1"

        @Test func `without the setting nobody breaks anything`() throws {
            let cluster = try ElasticCluster(sandbox)
            let reply = try cluster.nodes[0].connect()("ROOST.DEBUG", "NET", "CUT").errorText ?? ""
            #expect(reply.hasPrefix("ERR fault injection is off"), "\(reply)")
            #expect(reply.contains("debug.fault_injection"))
            try cluster.nodes[0].waitUntilServing()
        }

        @Test func `a leader that is cut off is replaced, answers no reads, and comes back as a follower`() throws {
            let cluster = try ElasticCluster(sandbox, arguments: Self.allowed + ["--park-timeout", "2s"])
            let old = try cluster.leader()
            let connection = try old.connect()
            #expect(try connection("SET", "k", "old") == .ok)
            #expect(try connection("ROOST.DEBUG", "NET", "CUT") == .ok)
            let others = cluster.nodes.filter { $0 !== old }
            let new = try eventually("one of the others leads") {
                try others.first { try $0.status().role == "leader" }
            }
            try eventually("it serves") { try new.connect()("SET", "k", "new") == .ok ? () : nil }
            let stale = try connection("GET", "k")
            #expect(stale.errorWord == "LOADING", "\(stale)")
            #expect(try connection("ROOST.DEBUG", "NET", "HEAL") == .ok)
            try eventually("the old one follows and reads what it missed") {
                try old.connect()("GET", "k") == .text("new") ? () : nil
            }
        }

        @Test func `one register per key while links are cut, slow, lossy or repeat themselves`() throws {
            let cluster = try ElasticCluster(sandbox, timing: .shipped, arguments: Self.allowed)
            let load = RegisterLoad(ports: cluster.ports)
            defer { load.stop() }
            var random = SplitMix64(seed: 99)
            let orders = [
                "CUT", "CUT ALL IN", "CUT ALL OUT", "DROP 30", "DROP 10 ALL OUT", "DELAY 40ms 40ms", "DUP 50",
                "DELAY 150ms ALL IN", "CUT 1", "CUT 2 OUT",
            ]
            let enough = 500
            let stretch = Stretch(.seconds(Self.isLong ? 120 : 8))
            while stretch.goesOn(until: load.answered > 2 * enough) {
                for _ in 1...Int.random(in: 1...2, using: &random) {
                    let node = try cluster.nodes.randomElement(using: &random) ?? cluster.leader()
                    try net(orders.randomElement(using: &random) ?? "CUT", at: node)
                }
                pause(.milliseconds(Int.random(in: 200...1_500, using: &random)))
                for node in cluster.nodes { try net("HEAL", at: node) }
                pause(.milliseconds(Int.random(in: 100...600, using: &random)))
            }
            for node in cluster.nodes { try node.waitUntilServing() }
            load.check(minimum: enough)
        }

        private func net(_ words: String, at node: DaemonProcess) throws {
            let command = ["ROOST.DEBUG", "NET"] + words.split(separator: " ").map(String.init)
            let reply = try node.connect().call(command)
            guard reply == .ok else { throw TestFailure("\(words): \(reply)") }
        }
    }
}
