import Foundation
import RESP
import Testing

extension ProcessTests {
    @Suite("Leases: reads without a majority's word, never stale") struct LeaseTests {
        private let sandbox = Sandbox.current!
        private static let isLong = ProcessInfo.processInfo.environment["ROOST_LONG"] == "1"
        private static let leases = ["--lease-reads", "yes", "--fault-injection", "yes"]

        /// That it answers shows that leases are on: without one, a read needs a majority.
        @Test func `a leader whose followers stand still answers for as long as its lease, and no longer`() throws {
            let cluster = try Cluster(
                sandbox, arguments: Self.leases + ["--election-timeout", "3s", "--park-timeout", "1s"])
            let leader = try cluster.leader()
            let connection = try leader.connect()
            #expect(try connection("SET", "k", "v") == .ok)
            for node in cluster.nodes where node !== leader { try node.pause() }
            #expect(try connection("GET", "k") == .text("v"))
            try eventually("the lease has ended") {
                try connection("GET", "k").errorWord == "LOADING" ? () : nil
            }
            // Once ended it stays so.
            #expect(try connection("GET", "k").errorWord == "LOADING")
            for node in cluster.nodes { try node.resume() }
            try cluster.waitUntilServing()
        }

        @Test func `a leader that is cut off, or sleeps, does not answer from the past`() throws {
            let cluster = try Cluster(sandbox, arguments: Self.leases + ["--park-timeout", "2s"])
            for round in 1...4 {
                let old = try cluster.leader()
                let connection = try old.connect()
                try eventually("a write") { try connection("SET", "k", "old\(round)") == .ok ? () : nil }
                let sleeps = round.isMultiple(of: 2)
                if sleeps {
                    try old.pause()
                    // What it finds first when it wakes up.
                    try connection.socket.write(encode(["GET", "k"]))
                } else {
                    #expect(try connection("ROOST.DEBUG", "NET", "CUT") == .ok)
                }
                let others = cluster.nodes.filter { $0 !== old }
                try eventually("the others write") {
                    let leader = try others.first { try $0.status().role == "leader" }
                    return try leader?.connect()("SET", "k", "new\(round)") == .ok ? () : nil
                }
                if sleeps { try old.resume() } else { try connection.socket.write(encode(["GET", "k"])) }
                let reply = try connection.receive()
                let refused = reply.errorWord.map { ErrorWord.notApplied.contains($0) } ?? false
                #expect(reply == .text("new\(round)") || refused, "\(reply)")
                #expect(try connection("ROOST.DEBUG", "NET", "HEAL") == .ok)
                try cluster.waitUntilServing()
            }
        }

        @Test func `one register per key while leaders are cut off, sleep or hand over`() throws {
            let cluster = try ElasticCluster(sandbox, timing: .shipped, arguments: Self.leases)
            let load = RegisterLoad(ports: cluster.ports)
            defer { load.stop() }
            var random = SplitMix64(seed: 641)
            let (stretch, enough) = (Stretch(.seconds(Self.isLong ? 120 : 10)), 1_000)
            var round = 0
            while stretch.goesOn(until: load.answered > 2 * enough) {
                round += 1
                let leader = try cluster.leader()
                switch round % 4 {
                case 0:
                    try leader.pause()
                    pause(.milliseconds(Int.random(in: 100...1_500, using: &random)))
                    try leader.resume()
                case 1: _ = try? leader.connect()("ROOST.MEMBER", "TRANSFER")
                case 2: try cut(leader, ["OUT"], &random)
                default: try cut(leader, [], &random)
                }
                pause(.milliseconds(Int.random(in: 100...600, using: &random)))
            }
            for node in cluster.nodes { try node.waitUntilServing() }
            load.check(minimum: enough)
        }

        private func cut(_ node: DaemonProcess, _ direction: [String], _ random: inout SplitMix64) throws {
            let order = ["ROOST.DEBUG", "NET", "CUT"] + (direction.isEmpty ? [] : ["ALL"] + direction)
            #expect(try node.connect().call(order) == .ok)
            pause(.milliseconds(Int.random(in: 200...1_500, using: &random)))
            #expect(try node.connect()("ROOST.DEBUG", "NET", "HEAL") == .ok)
        }
    }
}
