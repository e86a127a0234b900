import Foundation
import RESP
import Testing

extension ProcessTests {
    @Suite("Sessions: each request is executed once") struct SessionTests {
        private let sandbox = Sandbox.current!
        private static let isLong = ProcessInfo.processInfo.environment["ROOST_LONG"] == "1"

        @Test func `a request is answered the same by every node, and over a restart of all`() throws {
            let cluster = try Cluster(sandbox)
            let session = try #require(try cluster.nodes[0].connect()("ROOST.SESSION", "OPEN").text)
            for node in cluster.nodes {
                #expect(try node.connect()("ROOST.ONCE", session, "1", "INCR", "n") == .integer(1))
            }
            for node in cluster.nodes { try node.kill() }
            try cluster.restartDead()
            try cluster.waitUntilServing()
            for node in cluster.nodes {
                #expect(try node.connect()("ROOST.ONCE", session, "1", "INCR", "n") == .integer(1))
            }
            #expect(try cluster.nodes[1].connect()("ROOST.ONCE", session, "2", "INCR", "n") == .integer(2))
            #expect(try cluster.nodes[2].connect()("ROOST.SESSION", "CLOSE", session) == .integer(1))
            let late = try cluster.nodes[0].connect()("ROOST.ONCE", session, "3", "INCR", "n")
            #expect(late.errorWord == "NOSESSION", "\(late)")
            #expect(try cluster.nodes[1].connect()("GET", "n") == .text("2"))
        }

        @Test func `clients that send again through other nodes, while nodes are killed`() throws {
            let (clients, enough, rounds) = (6, 300, Self.isLong ? 60 : 6)
            let cluster = try Cluster(sandbox, timing: .shipped)
            let ports = cluster.nodes.map(\.settings.redis)
            let (stop, answered) = (StopFlag(), Counter())
            defer { stop.raise() }
            let load = Workers(clients) { number in
                var client = SessionClient(ports: ports, number: number, answered: answered)
                return client.run(until: stop)
            }
            var random = SplitMix64(seed: 63)
            for round in 1...rounds {
                let before = answered.value
                try eventually("requests go on") { answered.value > before + enough / rounds ? () : nil }
                let victims =
                    round.isMultiple(of: 3) ? cluster.nodes : [try cluster.leader()]
                for node in victims { try node.kill() }
                pause(.milliseconds(Int.random(in: 0...800, using: &random)))
                try cluster.restartDead()
            }
            try eventually("enough was answered") { answered.value > enough ? () : nil }
            try cluster.waitUntilServing()
            stop.raise()
            let records = load.join()
            for record in records { #expect(record.violations == []) }
            try check(records, cluster)
            let (blindly, knowingly) = (
                records.reduce(0) { $0 + $1.repeatedBlindly }, records.reduce(0) { $0 + $1.repeatedKnowingly }
            )
            print("sessions: \(answered.value) requests, sent again \(blindly) times blindly, \(knowingly) knowingly")
            // Without them this proves nothing.
            #expect(blindly > 0 && knowingly > 0)
        }

        private func check(_ records: [SessionClient.Record], _ cluster: Cluster) throws {
            for (number, record) in records.enumerated() {
                var model = record.model
                for key in SessionClient.keys(of: number) {
                    let node = cluster.nodes[number % cluster.nodes.count]
                    #expect(try node.connect()("GET", key) == model.run(["GET", key]), "\(key) at node \(node.node)")
                }
            }
        }
    }
}
