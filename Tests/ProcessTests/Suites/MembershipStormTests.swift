import Foundation
import RESP
import Testing

extension ProcessTests {
    @Suite("Members change under load and kill -9") struct MembershipStormTests {
        private let sandbox = Sandbox.current!
        private static let isLong = ProcessInfo.processInfo.environment["ROOST_LONG"] == "1"
        private static let shortLog = [
            "--max-retained-entries", "200", "--truncation-slack-entries", "20", "--max-unflushed-entries", "200",
        ]

        /// Each round a node joins, one is killed at some moment of it, one is removed. Whatever was acknowledged is
        /// there in the end, in one order.
        @Test func `added, promoted, removed and replaced, with kill -9 in between`() throws {
            let (rounds, enough) = (Self.isLong ? 12 : 3, 500)
            let cluster = try ElasticCluster(sandbox, arguments: Self.shortLog)
            var random = SplitMix64(seed: 31)
            let newcomers = try (1...rounds).map { _ in try cluster.newcomer(through: cluster.nodes[0]) }
            let registers = RegisterLoad(ports: cluster.ports)
            defer { registers.stop() }
            let load = WriteLoad(ports: cluster.ports, writers: 2, prefix: "storm")
            for (round, newcomer) in newcomers.enumerated() {
                try join(newcomer, cluster, killing: round % 3, random: &random)
                // Half of the time the leader goes, which has to hand over. The door by which all join stays.
                let leader = try cluster.leader()
                let others = cluster.running.filter { $0 !== cluster.nodes[0] && $0 !== newcomer }
                let takesLeader = round.isMultiple(of: 2) && leader !== cluster.nodes[0]
                let victim = try #require(takesLeader ? leader : others.randomElement(using: &random))
                let id = try victim.id
                if round % 3 == 2 { try victim.kill() }
                try cluster.remove(id)
                if victim.isRunning { #expect(try victim.current.wait() == .code(0)) }
                let before = load.acknowledged
                try eventually("writes go on") { load.acknowledged > before + 20 ? () : nil }
            }
            try eventually("enough was seen") { registers.answered > 2 * enough ? () : nil }
            let last = try cluster.leader()
            #expect(try last.status().voters.count == 3)
            for node in cluster.running { try node.waitUntilServing() }
            let ledger = load.stop()
            print(ledger.summary)
            #expect(try ledger.violations(last.connect()) == [])
            registers.check(minimum: enough)
        }

        /// Starts the newcomer and kills somebody while it comes: itself, a follower or the leader.
        private func join(
            _ newcomer: DaemonProcess, _ cluster: ElasticCluster, killing choice: Int, random: inout SplitMix64
        ) throws {
            try newcomer.start()
            pause(.milliseconds(Int.random(in: 0...400, using: &random)))
            let victim =
                switch choice {
                case 0: newcomer
                case 1: try cluster.leader()
                default: try cluster.follower()
                }
            try victim.kill()
            pause(.milliseconds(Int.random(in: 0...300, using: &random)))
            try victim.start()
            try cluster.waitUntilVoter(newcomer)
            try victim.waitUntilReady()
        }
    }
}
