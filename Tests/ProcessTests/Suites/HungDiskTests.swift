import Foundation
import RESP
import Testing

extension ProcessTests {
    @Suite("A disk that hangs") struct HungDiskTests {
        private let sandbox = Sandbox.current!

        /// The leader's sync takes far longer than `disk_stall_limit`, while its process and its network are well: nobody
        /// else would ever call an election.
        @Test func `a leader whose disk hangs hands over, the others go on, and it catches up afterwards`() throws {
            let hang = Duration.seconds(12)
            let cluster = try Cluster(
                sandbox, timing: .shipped, arguments: ["--fault-injection", "yes", "--disk-stall-limit", "1s"])
            let old = try cluster.leader()
            let term = try old.status().term
            let others = cluster.nodes.filter { $0 !== old }
            let load = WriteLoad(ports: others.map(\.settings.redis), writers: 4, prefix: "hang")
            try eventually("writes are acknowledged") { load.acknowledged > 200 ? () : nil }

            // The sync that comes next hangs; once it has ended, nothing is wrong any more.
            let admin = try old.connect()
            let order: Command = ["ROOST.DEBUG", "FAILPOINT", "SET", "log-before-sync", "pause", "12s"]
            #expect(try admin.call(order) == .ok)
            let began = ContinuousClock.now
            load.markFault()
            let recovery = try eventually("a write begun meanwhile is acknowledged", every: .milliseconds(1)) {
                load.recovery
            }
            #expect(try admin("ROOST.DEBUG", "FAILPOINT", "OFF", "log-before-sync") == .ok)
            let new = try eventually("another node leads") {
                try others.first { try $0.status().role == "leader" }
            }
            print("writes went on after \(recovery) without a disk")
            // The sync hangs still: it is not its end that let them go on.
            #expect(ContinuousClock.now - began < hang)
            #expect(recovery < hang / 2)
            #expect(try new.status().term > term)
            let before = load.acknowledged
            try eventually("writes go on") { load.acknowledged > before + 200 ? () : nil }
            #expect(try old.status().role != "leader")

            pause(max(.zero, hang - (ContinuousClock.now - began)))
            let ledger = load.stop()
            let commit = try new.status().commit
            try eventually("the old leader has caught up") { try old.status().applied >= commit ? () : nil }
            #expect(old.isRunning)
            for node in cluster.nodes {
                #expect(try ledger.violations(node.connect()) == [], "read at node \(node.node)")
            }
            // It counts again: with one of the others away it is needed.
            try new.kill()
            try old.waitUntilServing()
            #expect(try old.connect()("SET", "afterwards", "yes") == .ok)
        }

        /// Without a majority that is ahead there is nobody to hand over to: it stays.
        @Test func `a node of its own waits for its disk`() throws {
            let node = try DaemonProcess.single(
                sandbox, arguments: ["--fault-injection", "yes", "--disk-stall-limit", "200ms"])
            let admin = try node.connect()
            #expect(try admin.call(["ROOST.DEBUG", "FAILPOINT", "SET", "log-before-sync", "pause", "2s"]) == .ok)
            let (reply, time) = try timed { try node.connect()("SET", "k", "v") }
            #expect(reply == .ok)
            #expect(time > .seconds(1))
            #expect(try admin("ROOST.DEBUG", "FAILPOINT", "OFF", "ALL") == .ok)
            #expect(try node.connect()("GET", "k") == .text("v"))
        }
    }
}
