import Foundation
import RESP
import Testing

extension ProcessTests {
    @Suite("Snapshots for those who are too far behind") struct SnapshotTests {
        private let sandbox = Sandbox.current!
        /// A log so short that it hardly outlives a moment's absence.
        private static let shortLog = [
            "--max-retained-entries", "100", "--truncation-slack-entries", "10", "--max-unflushed-entries", "100",
        ]
        private static let keys = 4_000
        private static let isLong = ProcessInfo.processInfo.environment["ROOST_LONG"] == "1"

        @Test func `a follower that was away gets a snapshot while everybody serves, and then counts`() throws {
            let cluster = try ElasticCluster(sandbox, arguments: Self.shortLog)
            let absent = try cluster.follower()
            try absent.kill()
            let leader = try cluster.leader()
            try fill(leader)
            try cutLog(of: leader, beyond: absent)

            let others = cluster.running.map(\.settings.redis)
            let load = WriteLoad(ports: others, writers: 2, prefix: "snapshot")
            try absent.start()
            let commit = try leader.status().commit
            let took = try timed {
                try eventually("it has applied \(commit)") {
                    try absent.status().applied >= commit ? () : nil
                }
            }.time
            #expect(absent.log.contains("snapshot installed"))
            print("caught up by a snapshot of \(Self.keys) keys in \(took)")
            let ledger = load.stop()
            #expect(ledger.acknowledged > 0)

            // Now it is needed for every majority.
            let other = cluster.running.first { $0 !== absent && $0 !== leader }
            try other?.kill()
            try absent.waitUntilServing()
            try check(absent)
            #expect(try ledger.violations(absent.connect()) == [])

            // What it got is on its disk.
            try absent.kill()
            try absent.start()
            try absent.waitUntilServing()
            try check(absent)
        }

        @Test func `a node joins a cluster whose log is cut: it gets data and membership by a snapshot`() throws {
            let cluster = try ElasticCluster(sandbox, arguments: Self.shortLog)
            let leader = try cluster.leader()
            try fill(leader)
            try eventually("the log is cut") { try leader.status().first > 1 ? () : nil }
            let newcomer = try cluster.grow()
            #expect(newcomer.log.contains("snapshot installed"))
            #expect(try newcomer.status().voters == [1, 2, 3, 4])
            try check(newcomer)
            // A second one, while the first may send.
            try cluster.remove(try leader.id)
            try check(try cluster.grow(through: newcomer))
        }

        @Test func `a node that is killed while it receives or installs comes back whole`() throws {
            let cluster = try ElasticCluster(sandbox, arguments: Self.shortLog)
            let victim = try cluster.follower()
            var random = SplitMix64(seed: 4)
            for round in 1...(Self.isLong ? 20 : 3) {
                try victim.kill()
                let leader = try cluster.leader()
                try fill(leader, generation: round)
                try cutLog(of: leader, beyond: victim)
                try victim.start()
                try victim.waitUntilReady()
                pause(.milliseconds(Int.random(in: 0...600, using: &random)))
                try victim.kill()
                try victim.start()
                try victim.waitUntilServing()
                try check(victim, generation: round)
            }
        }

        @Test func `a leader that is told to stop while it makes a snapshot ends with 0`() throws {
            let flags = Self.shortLog + ["--fault-injection", "yes", "--shutdown-timeout", "500ms"]
            let cluster = try ElasticCluster(sandbox, arguments: flags)
            let absent = try cluster.follower()
            try absent.kill()
            let leader = try cluster.leader()
            var writer = Filler(try leader.connect())
            #expect(try writer.write(atMost: 8 << 20) == nil)
            try cutLog(of: leader, beyond: absent)
            // More than 30 blocks: a stop that waited for all of them would take ten times as long as it may.
            let order: Command = ["ROOST.DEBUG", "FAILPOINT", "SET", "snapshot-make-block", "pause", "700ms"]
            #expect(try leader.connect().call(order) == .ok)
            try absent.start()
            let draft = leader.settings.directory + "/snapshots/1.tmp"
            try eventually("a snapshot is being made") { FileManager.default.fileExists(atPath: draft) ? () : nil }
            #expect(try leader.terminate() == .code(0))
            #expect(!FileManager.default.fileExists(atPath: draft))
        }

        private func value(_ key: Int, _ generation: Int) -> String { "v\(generation)-\(key)" }

        private func fill(_ node: DaemonProcess, generation: Int = 0) throws {
            let connection = try node.connect()
            for start in stride(from: 0, to: Self.keys, by: 20) {
                let commands = (start..<start + 20).map { ["SET", "key\($0)", value($0, generation)] }
                for reply in try connection.pipeline(commands) where reply != .ok { throw TestFailure("\(reply)") }
            }
        }

        /// Waits until the leader's log begins after everything that the absent node has.
        private func cutLog(of leader: DaemonProcess, beyond absent: DaemonProcess) throws {
            let connection = try leader.connect()
            try eventually("the log is cut") {
                for _ in 1...20 { _ = try connection("SET", "more", "x") }
                let status = try leader.status()
                return status.last - status.first < 1_000 && status.first > 100 ? () : nil
            }
        }

        private func check(_ node: DaemonProcess, generation: Int = 0) throws {
            let connection = try node.connect()
            for start in stride(from: 0, to: Self.keys, by: 500) {
                let keys = (start..<start + 500).map { "key\($0)" }
                let expected = (start..<start + 500).map { Reply.text(value($0, generation)) }
                #expect(try connection.call(["MGET"] + keys) == .array(expected))
            }
        }
    }
}
