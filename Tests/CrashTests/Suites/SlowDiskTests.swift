import Foundation
import RESP
import Testing

extension CrashTests {
    /// Syncs that take long, or do not come back: below RocksDB, which has every other write of its own wait behind one.
    @Suite("A disk that is slow or hangs", .enabled(if: Shim.isAvailable)) struct SlowDiskTests {
        private let sandbox = Sandbox.current!

        /// As leader it must go on hearing and answering: else nobody could tell it from a node that is gone, and its clients
        /// would wait for nothing.
        @Test(arguments: 1...CrashForm.pick(short: 2, long: 10))
        func `a leader whose syncs hang hands over, answers meanwhile, and catches up afterwards`(round: Int) throws {
            let (cluster, holds) = try holdable(stallLimit: "1s")
            let old = try cluster.leader()
            let others = cluster.nodes.filter { $0 !== old }
            let term = try old.status().term
            // Many writes are under way at any moment: one of them is acknowledged by the others while the next one hangs.
            let load = WriteLoad(ports: cluster.nodes.map(\.settings.redis), writers: 12, prefix: "slow\(round)")
            try eventually("writes are acknowledged") { load.acknowledged > 400 ? () : nil }

            try Data().write(to: URL(fileURLWithPath: holds.file(old)))
            load.markFault()
            let watched = try timed {
                try eventually("a sync hangs") { readText(holds.note(old)).isEmpty ? nil : () }
                let admin = try old.connect(timeout: .seconds(5))
                for _ in 1...20 {
                    #expect(try admin("PING") == .simple("PONG"))
                    pause(.milliseconds(20))
                }
                let new = try eventually("another node leads") {
                    try others.first { try $0.status().role == "leader" }
                }
                #expect(try new.status().term > term)
                try eventually("writes go on") { load.recovery }
                #expect(try old.status().role != "leader")
            }.time
            try FileManager.default.removeItem(atPath: holds.file(old))
            #expect(watched < .seconds(20), "the watchdog would have ended the node")

            let before = load.acknowledged
            try eventually("writes go on") { load.acknowledged > before + 200 ? () : nil }
            let ledger = load.stop()
            let commit = try cluster.leader().status().commit
            try eventually("it has caught up") { try old.status().applied >= commit ? () : nil }
            for node in cluster.nodes {
                #expect(node.isRunning, "\(node.lastWord)")
                #expect(try ledger.violations(node.connect()) == [], "read at node \(node.node)")
            }
            say("a hung disk, round \(round): \(ledger.summary)")
        }

        /// The negative control: where no limit is near, a leader whose disk hangs keeps its office, and nothing goes on.
        @Test func `a leader that minds no hung disk is found out`() throws {
            let (cluster, holds) = try holdable(stallLimit: "10m")
            let old = try cluster.leader()
            let load = WriteLoad(ports: [old.settings.redis], writers: 4, prefix: "control")
            try eventually("writes are acknowledged") { load.acknowledged > 100 ? () : nil }
            try Data().write(to: URL(fileURLWithPath: holds.file(old)))
            try eventually("a sync hangs") { readText(holds.note(old)).isEmpty ? nil : () }
            pause(.seconds(3))
            #expect(try old.status().role == "leader")
            try FileManager.default.removeItem(atPath: holds.file(old))
            _ = load.stop()
        }

        /// Files that make the syncs of a node hang, and those in which it says so.
        private struct Holds {
            let folder: String
            func file(_ node: DaemonProcess) -> String { "\(folder)-hold-\(node.node)" }
            func note(_ node: DaemonProcess) -> String { "\(folder)-note-\(node.node)" }
        }

        private func holdable(stallLimit: String) throws -> (Cluster, Holds) {
            let holds = Holds(folder: sandbox.newFolder("holds"))
            let cluster = try Cluster(sandbox, timing: .shipped, arguments: ["--disk-stall-limit", stallLimit]) {
                settings in
                settings.environment = try Shim.environment(
                    .hang(while: "\(holds.folder)-hold-\(settings.node)"), .sync, at: 1, in: settings.directory,
                    note: "\(holds.folder)-note-\(settings.node)")
            }
            return (cluster, holds)
        }

        /// Nobody is deposed for a disk that is only slow, and nothing is lost when it goes on being so.
        @Test(arguments: [5, 50, 150])
        func `a disk that takes so many milliseconds for each sync costs time only`(delay: Int) throws {
            let notes = sandbox.newFolder("notes")
            let cluster = try Cluster(sandbox, timing: .shipped) { settings in
                settings.environment = try Shim.environment(
                    .slow(delay), .sync, at: 60, in: settings.directory, note: "\(notes)-\(settings.node)")
            }
            let enough = CrashForm.pick(short: 40, long: 400)
            let load = WriteLoad(ports: cluster.nodes.map(\.settings.redis), writers: 24, prefix: "slow\(delay)")
            try eventually("syncs are slow") {
                cluster.nodes.allSatisfy { !readText("\(notes)-\($0.node)").isEmpty } ? () : nil
            }
            let leader = try cluster.leader()
            let term = try leader.status().term
            let before = load.acknowledged
            try eventually("writes are acknowledged") { load.acknowledged > before + enough ? () : nil }
            #expect(try leader.status().term == term)
            #expect(try leader.status().role == "leader")
            let ledger = load.stop()
            for node in cluster.nodes {
                #expect(node.isRunning, "\(node.lastWord)")
                #expect(try ledger.violations(node.connect()) == [], "read at node \(node.node)")
            }
            say("\(delay) ms for each sync: \(ledger.summary)")
        }
    }
}
