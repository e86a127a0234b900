import Foundation
import Testing

extension CrashTests {
    /// Somebody else fills the file system to the last byte.
    @Suite("A disk that is full", .enabled(if: LossyDisk.isAvailable)) struct FullDiskTests {
        private let sandbox = Sandbox.current!
        private static let rounds = CrashForm.pick(short: 2, long: 10)
        private static let imageMebibytes = 48

        /// How a node bears it: it ends, or it refuses writes and goes on when there is room.
        private struct Tally {
            var ended = 0
            var refused = 0
            /// Without either the disk was not full enough to prove anything.
            var injuries: Int { ended + refused }
        }

        @Test func `one node refuses or ends, and loses nothing`() throws {
            let disk = try LossyDisk(sandbox, mebibytes: Self.imageMebibytes)
            let node = try DaemonProcess.withoutPortClashes {
                var settings = try DaemonProcess.Settings(sandbox)
                settings.arguments = DaemonProcess.restless
                settings.environment = DaemonProcess.withoutBacktrace
                settings.live(on: disk)
                return [DaemonProcess(settings, sandbox: sandbox)]
            }[0]
            try node.waitUntilServing()
            var (chronicle, tally) = (Chronicle(), Tally())
            for round in 1...Self.rounds {
                let name = "full-one-\(round)"
                let ledger = try underLoad([node], round: name) {
                    try disk.fill()
                    pause(.seconds(2))
                    try disk.free()
                    tally.ended += try restartIfEnded(node)
                }
                tally.refused += ledger.records.contains { $0.refused["NOSPACE", default: 0] > 0 } ? 1 : 0
                try chronicle.add(ledger, round: name, readAt: node)
            }
            try chronicle.check(at: node)
            #expect(tally.injuries > 0)
            say(
                "one node, \(Self.rounds) full disks: ended \(tally.ended), refused \(tally.refused), \(chronicle.summary)"
            )
        }

        @Test func `one of three: the others go on`() throws {
            let disk = try LossyDisk(sandbox, mebibytes: Self.imageMebibytes)
            let cluster = try Cluster(sandbox, arguments: DaemonProcess.restless) {
                $0.environment = DaemonProcess.withoutBacktrace
                if $0.node == 2 { $0.live(on: disk) }
            }
            let victim = cluster.node(2)
            var (chronicle, ended) = (Chronicle(), 0)
            for round in 1...Self.rounds {
                let name = "full-three-\(round)"
                let others = cluster.nodes.filter { $0 !== victim }
                let ledger = try underLoad(others, round: name) {
                    try disk.fill()
                    // The others serve while it is full, whoever led before.
                    for other in others { try other.waitUntilServing() }
                    let probe = try others[round % 2].connect()
                    try eventually("a write succeeds") { try probe("SET", "probe", name) == .ok ? () : nil }
                    pause(.seconds(1))
                    try disk.free()
                    ended += try restartIfEnded(victim)
                }
                try cluster.waitUntilServing()
                try chronicle.add(ledger, round: name, readAt: victim)
            }
            for node in cluster.nodes { try chronicle.check(at: node) }
            say("one of three nodes, full disk \(Self.rounds) times: ended \(ended), \(chronicle.summary)")
        }

        /// Where it can't go on it must have ended; then it is started again.
        ///
        /// - Returns: 1 if it had ended.
        private func restartIfEnded(_ node: DaemonProcess) throws -> Int {
            if try node.servesOrEnds() { return 0 }
            let exit = try node.current.ended
            #expect(exit == .code(74) || exit == .signal(SIGABRT), "\(node.lastWord)")
            try node.start()
            try node.waitUntilServing()
            return 1
        }
    }
}

extension LossyDisk {
    private var filler: String { path + "/filler" }

    /// Takes all space that is left.
    func fill() throws {
        try run(
            "sh", "-c",
            "dd if=/dev/zero of=\(filler) bs=64k 2>/dev/null; dd if=/dev/zero of=\(filler)2 bs=1k 2>/dev/null; true")
        #expect(freeBytes < 64 << 10)
    }

    func free() throws { try run("rm", "-f", filler, filler + "2") }
}
