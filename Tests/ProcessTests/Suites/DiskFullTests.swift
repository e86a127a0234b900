import Foundation
import RESP
import Testing

extension ProcessTests {
    /// On file systems of their own in memory, a few MiB large.
    @Suite(
        "Full disks: reads go on, deletions too, nothing is lost, and service comes back by itself",
        .disabled(if: SmallDisk.obstacle != nil, "SKIPPED, \(SmallDisk.obstacle ?? "")"))
    struct DiskFullTests {
        private let sandbox = Sandbox.current!
        private static let isLong = ProcessInfo.processInfo.environment["ROOST_LONG"] == "1"
        /// What fits a small disk: with the defaults it would be full before the first memtable is.
        private static let smallBuffers = [
            "--state-write-buffer-bytes", "1MiB", "--log-write-buffer-bytes", "8MiB", "--max-unflushed-log-bytes",
            "4MiB",
        ]

        // MARK: - One node

        private func single(megabytes: Int, _ arguments: [String] = smallBuffers) throws -> (DaemonProcess, SmallDisk) {
            let directory = sandbox.newFolder("disk")
            let disk = try SmallDisk(sandbox, at: directory, megabytes: megabytes)
            let daemon = try DaemonProcess.withoutPortClashes {
                var settings = try DaemonProcess.Settings(sandbox)
                settings.directory = directory
                (settings.arguments, settings.isThrifty) = (arguments, false)
                return [DaemonProcess(settings, sandbox: sandbox)]
            }[0]
            try daemon.waitUntilServing()
            return (daemon, disk)
        }

        @Test(arguments: [[], smallBuffers])
        func `a node that fills its disk refuses to go on, serves reads, and goes on after deletions`(
            arguments: [String]
        ) throws {
            let (node, disk) = try single(megabytes: 96, arguments)
            var writer = Filler(try node.connect())
            let refusal = try #require(try writer.write(atMost: 96 << 20))
            #expect(refusal.hasPrefix("NOSPACE node 1 has "), "\(refusal)")
            #expect(refusal.contains("storage.min_free_bytes"), "\(refusal)")
            #expect(refusal.contains("command not executed"), "\(refusal)")
            #expect(disk.free > 0)
            #expect(writer.acknowledged > 1_000)
            print("refused after \(writer.acknowledged) values of 16 KiB, \(disk.free >> 10) KiB free")
            #expect(try writer.violations() == [])
            // A compaction may have given room back since: then it is ample again, and takes some more.
            #expect(node.log.contains("the disk is low on space"))
            #expect(try diskState(node).level != "full")

            // It is never full of what it wrote itself, however often it is asked.
            for _ in 1...200 { _ = try writer.writeOne() }
            #expect(disk.free > 0)
            #expect(try diskState(node).level != "full")

            let took = try timed {
                try writer.deleteAll(but: 100)
                try eventually("writes are taken again") { try writer.writeOne() == nil ? () : nil }
            }.time
            print("taken again \(took) after the first deletion")
            #expect(try writer.violations() == [])
            #expect(try node.terminate() == .code(0))
        }

        @Test func `a disk that somebody else fills stops writes, not reads, and is noticed when it has room`() throws {
            let (node, disk) = try single(megabytes: 64)
            var writer = Filler(try node.connect())
            #expect(try writer.write(atMost: 4 << 20) == nil)
            // In two steps: a flush that is under way when others take the last room ends the node, as it must.
            try disk.fill(leaving: 3 << 20)
            try eventually("it has written most of what it owes") { try diskState(node).owed < 1 << 20 ? () : nil }
            // Below the last limit, a quarter of 5 per cent; what the node gives back meanwhile, the others take as well.
            func whileFull(_ what: String, _ holds: () throws -> Bool) throws {
                try eventually(what) {
                    try disk.fill(leaving: 256 << 10)
                    return try holds() ? () : nil
                }
            }
            try whileFull("it says that the disk is full") { try diskState(node).writes == "none" }
            try whileFull("it takes no write") {
                try writer.writeOne()?.contains("storage.critical_free_bytes") == true
            }
            try whileFull("nor a deletion") { try node.connect()("DEL", "no such key").errorWord == "NOSPACE" }
            #expect(try writer.violations() == [])
            #expect(try node.get("/readyz").status == 200)

            try disk.empty()
            let took = try timed {
                try eventually("writes are taken again") { try writer.writeOne() == nil ? () : nil }
            }.time
            print("taken again \(took) after the disk had room")
            #expect(try writer.violations() == [])
            // Once for each change, not once for each look.
            #expect((1...3).contains(node.log.matches(of: /the disk is full/).count))
            #expect((1...3).contains(node.log.matches(of: /the disk has room again/).count))
        }

        @Test func `a start on a full disk gives up the reserve and serves reads; with room all is as before`() throws {
            let (node, disk) = try single(megabytes: 64)
            var writer = Filler(try node.connect())
            #expect(try writer.write(atMost: 8 << 20) == nil)
            let reserve = try eventually("the reserve is made") {
                try diskState(node).reserve > 0 ? try diskState(node).reserve : nil
            }
            #expect(reserve == (64 << 20) / 40)
            try node.kill()
            try disk.fill()
            #expect(disk.free < 8192)

            let took = try timed {
                try node.start()
                try node.waitUntilServing()
            }.time
            print("reads \(took) after a start on a full disk")
            writer.connection = try node.connect()
            #expect(try writer.violations() == [])
            #expect(node.log.contains("gave up the reserve of 1 MiB"))
            #expect(try diskState(node).reserve == 0)
            try eventually("writes are refused") {
                // What the node gives back meanwhile, the others take as well.
                try disk.fill(leaving: reserve)
                return try writer.writeOne()
            }
            // And again, with nothing left to give up.
            try node.kill()
            try node.start()
            try node.waitUntilServing()
            writer.connection = try node.connect()
            #expect(try writer.violations() == [])

            try disk.empty()
            try eventually("writes are taken again") { try writer.writeOne() == nil ? () : nil }
            try eventually("the reserve is made again") { try diskState(node).reserve == reserve ? () : nil }
        }

        @Test func `a day of overwrites takes no more room than an hour`() throws {
            let (node, disk) = try single(megabytes: 256, Self.smallBuffers + ["--truncation-slack-bytes", "4MiB"])
            let connection = try node.connect(timeout: .seconds(60))
            var random = SplitMix64(seed: 5)
            var most = (early: 0, late: 0)
            let rounds = Self.isLong ? 2_000 : 200
            for round in 0..<rounds {
                let commands = (0..<64).map { key in ["SET", "key\(key)", Filler.value(16 << 10, &random)] }
                for reply in try connection.pipeline(commands) { try #require(reply == .ok, "\(reply)") }
                if round < rounds / 4 {
                    most.early = max(most.early, disk.used)
                } else {
                    most.late = max(most.late, disk.used)
                }
            }
            let written = rounds * 64 * 16 >> 10
            print("\(written) MiB of overwrites: at most \(most.early >> 20), later \(most.late >> 20) MiB in use")
            // 1 MiB is alive; what else there is, the settings bound.
            #expect(most.late < 96 << 20)
        }

        // MARK: - Three nodes

        private func cluster(
            megabytes: Int, _ arguments: [String] = smallBuffers
        ) throws -> (Cluster, [UInt64: SmallDisk]) {
            var disks: [UInt64: SmallDisk] = [:]
            let cluster = try Cluster(sandbox, arguments: arguments) { settings in
                settings.isThrifty = false
                disks[settings.node] = try SmallDisk(sandbox, at: settings.directory, megabytes: megabytes)
            }
            return (cluster, disks)
        }

        @Test(arguments: [2 << 20, 128 << 10])
        func `a leader whose disk is low, or full, hands over, and everybody's writes go on`(rest: Int) throws {
            let (cluster, disks) = try cluster(megabytes: 64)
            let short = try cluster.leader()
            var writer = Filler(try short.connect(timeout: .seconds(60)))
            #expect(try writer.write(atMost: 2 << 20) == nil)
            try #require(disks[short.node]).fill(leaving: rest)
            let successor = try eventually("somebody else leads") {
                let leader = try cluster.leader()
                return leader === short ? nil : leader
            }
            #expect(try diskState(successor).level == "ample")
            let expected = rest < 1 << 20 ? "full" : "low"
            try eventually("it says that its disk is \(expected)") {
                try diskState(short).level == expected ? () : nil
            }
            if expected == "full" {
                // It takes no entries, so it could not tell what becomes of a write.
                try eventually("it refuses") {
                    try short.connect()("SET", "refused", "x").errorWord == "NOSPACE" ? () : nil
                }
                writer.connection = try successor.connect(timeout: .seconds(60))
            }
            try eventually("writes are taken") { try writer.writeOne() == nil ? () : nil }
            #expect(try writer.violations() == [])
            #expect(short.isRunning)

            // It catches up when it has room.
            try #require(disks[short.node]).empty()
            let commit = try successor.status().commit
            try eventually("it has everything") { try short.status().applied >= commit ? () : nil }
        }

        @Test func `a follower without any room holds nobody up, and catches up`() throws {
            let (cluster, disks) = try cluster(megabytes: 64)
            let leader = try cluster.leader()
            let full = try cluster.followers()[0]
            try #require(disks[full.node]).fill(leaving: 64 << 10)
            try eventually("it is full") { try diskState(full).level == "full" ? () : nil }
            var writer = Filler(try leader.connect(timeout: .seconds(60)))
            #expect(try writer.write(atMost: 8 << 20) == nil)
            #expect(full.isRunning)
            try #require(disks[full.node]).empty()
            let commit = try leader.status().commit
            try eventually("it has everything") { try full.status().applied >= commit ? () : nil }
            writer.connection = try full.connect(timeout: .seconds(60))
            #expect(try writer.violations() == [])
        }

        @Test func `a cluster that fills up takes deletions through every node, and then writes`() throws {
            let (cluster, disks) = try cluster(megabytes: 48)
            var writer = Filler(try cluster.leader().connect(timeout: .seconds(60)))
            for node in cluster.nodes {
                writer.connection = try node.connect(timeout: .seconds(60))
                let refusal = try writer.writeUntilFull(atMost: 48 << 20)
                #expect(refusal.contains("command not executed"), "node \(node.node): \(refusal)")
                #expect(disks[node.node]?.free ?? 0 > 0)
            }
            #expect(try writer.violations() == [])
            for node in cluster.nodes {
                writer.connection = try node.connect(timeout: .seconds(60))
                try writer.delete("v\(node.node)")
            }
            try writer.deleteAll(but: 50)
            for node in cluster.nodes {
                let connection = try node.connect(timeout: .seconds(60))
                try eventually("node \(node.node) takes writes") {
                    try connection("SET", "more", "x") == .ok ? () : nil
                }
            }
            #expect(try writer.violations() == [])
            #expect(cluster.running.count == 3)
        }

        @Test func `a snapshot that the disk has no room for is not made, and harms nobody`() throws {
            let megabytes = 64
            let (cluster, disks) = try cluster(
                megabytes: megabytes,
                Self.smallBuffers + ["--max-retained-bytes", "2MiB", "--truncation-slack-bytes", "1MiB"])
            let absent = try cluster.followers()[0]
            try absent.kill()
            let leader = try cluster.leader()
            let disk = try #require(disks[leader.node])
            // Next to nothing in the database, which compresses them, and more than the disk has as a snapshot.
            let connection = try leader.connect(timeout: .seconds(60))
            let value = String(repeating: "x", count: 128 << 10)
            for number in 0..<(megabytes + 16) * 8 {
                try eventually("it is taken") { try connection("SET", "key\(number)", value) == .ok ? () : nil }
            }
            try eventually("the log is cut") { try leader.status().first > 100 ? () : nil }
            try eventually("it has room again") { try diskState(leader).level == "ample" ? () : nil }

            try absent.start()
            var least = disk.free
            try eventually("it says so", every: .milliseconds(1)) {
                least = min(least, disk.free)
                return leader.log.contains("no room to make a snapshot of at least") ? () : nil
            }
            print("at least \(least >> 10) KiB free while a snapshot was tried")
            #expect(least > megabytes << 20 / 40)
            // It may be low for a moment, for what is written besides; it is never full.
            for _ in 1...20 {
                try eventually("it is taken") { try connection("SET", "more", "x") == .ok ? () : nil }
            }
            #expect(!leader.log.contains("the disk is full"))
            // Now and then it tries again.
            let folder = leader.settings.directory + "/snapshots"
            try eventually("nothing is left of it") {
                try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty ? () : nil
            }

            // With less to send it catches up.
            #expect(try connection("FLUSHALL") == .ok)
            let commit = try leader.status().commit
            try eventually("it has everything") { try absent.status().applied >= commit ? () : nil }
        }

        // MARK: - Looking

        private struct DiskState: Decodable {
            var level: String
            var owed: Int
            var reserve: Int
            var writes: String
        }

        private func diskState(_ node: DaemonProcess) throws -> DiskState {
            struct Status: Decodable { var disk: DiskState }
            return try JSONDecoder().decode(Status.self, from: Data(try node.get("/status").body.utf8)).disk
        }
    }
}
