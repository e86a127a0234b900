import Foundation
import RESP
import Testing

extension CrashTests {
    /// A small file system without a byte to spare: somebody else has taken it all, or the node's own data have grown.
    @Suite("A disk that is full", .enabled(if: LossyDisk.isAvailable)) struct FullDiskTests {
        private let sandbox = Sandbox.current!
        private static let rounds = CrashForm.pick(short: 2, long: 10)
        private static let imageMebibytes = 48
        /// What is promised: docs/operating.md.
        private static let readsAfterRestart = Duration.seconds(10)

        /// How a node bears it: it ends, or it refuses writes and goes on when there is room.
        private struct Tally {
            var ended = 0
            var refused = 0
            /// Without either the disk was not full enough to prove anything.
            var injuries: Int { ended + refused }
        }

        /// It refuses writes, or ends; then it is started on the disk as it is, and reads.
        @Test func `one node that others leave no room reads after a restart, and loses nothing`() throws {
            let disk = try LossyDisk(sandbox, mebibytes: Self.imageMebibytes)
            let node = try start(on: disk, DaemonProcess.restless + ["--reserve-bytes", "auto"])
            var (chronicle, tally, longest) = (Chronicle(), Tally(), Duration.zero)
            for round in 1...Self.rounds {
                try waitForReserve(of: node)
                let name = "full-one-\(round)"
                let ledger = try underLoad([node], round: name) {
                    let filler = try DiskFiller(disk)
                    try filler.waitUntilFull()
                    pause(.seconds(1))
                    filler.hold()
                    tally.ended += try end(node)
                    let took = try timed {
                        try node.start()
                        try node.waitUntilServing(within: Self.readsAfterRestart)
                    }.time
                    longest = max(longest, took)
                    try filler.release()
                }
                tally.refused += ledger.records.contains { $0.refused["NOSPACE", default: 0] > 0 } ? 1 : 0
                try chronicle.add(ledger, round: name, readAt: node)
            }
            try chronicle.check(at: node)
            #expect(tally.injuries > 0)
            say(
                "one node, \(Self.rounds) full disks: ended \(tally.ended), refused \(tally.refused), reads at most "
                    + "\(longest) after a start without a free byte, \(chronicle.summary)"
            )
        }

        /// The negative control: a node that keeps no room for a start is found out.
        @Test func `without a reserve there is no start on a full disk`() throws {
            let disk = try LossyDisk(sandbox, mebibytes: Self.imageMebibytes)
            let node = try start(
                on: disk,
                DaemonProcess.restless + [
                    "--reserve-bytes", "0", "--min-free-bytes", "0", "--critical-free-bytes", "0",
                ])
            _ = try underLoad([node], round: "control", before: 500, after: 0) {
                let filler = try DiskFiller(disk)
                try filler.waitUntilFull()
                _ = try end(node)
                // What only the process had kept alive goes with it.
                pause(.milliseconds(200))
                filler.hold()
                try node.start()
                #expect(try !node.servesOrEnds(within: Self.readsAfterRestart))
                try filler.release()
            }
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
                    let filler = try DiskFiller(disk)
                    try filler.waitUntilFull()
                    // The others serve while it is full, whoever led before.
                    for other in others { try other.waitUntilServing() }
                    let probe = try others[round % 2].connect()
                    try eventually("a write succeeds") { try probe("SET", "probe", name) == .ok ? () : nil }
                    pause(.seconds(1))
                    try filler.release()
                    ended += try restartIfEnded(victim)
                }
                try cluster.waitUntilServing()
                try chronicle.add(ledger, round: name, readAt: victim)
            }
            for node in cluster.nodes { try chronicle.check(at: node) }
            say("one of three nodes, full disk \(Self.rounds) times: ended \(ended), \(chronicle.summary)")
        }

        /// Its own growth never fills the disk: it stops before, and reads go on all the time. How soon it takes writes again
        /// is measured (`roost-bench storage full`), not tested: it is the time of a compaction.
        @Test func `one node that fills the disk itself serves reads, and takes writes when there is room`() throws {
            let disk = try LossyDisk(sandbox, mebibytes: Self.imageMebibytes)
            let node = try start(on: disk, DaemonProcess.frugal + ["--reserve-bytes", "auto"])
            var grown = Filler(try node.connect(), prefix: "own-", valueBytes: 8 << 10, seed: CrashForm.seed)
            try #require(try node.connect()("SET", "first", "value") == .ok)
            let reads = ReadLoad(port: node.settings.redis, key: "first")
            var longest = Duration.zero
            for round in 1...Self.rounds {
                _ = try grown.writeUntilFull(atMost: 2 * Self.imageMebibytes << 20)
                #expect(disk.freeBytes > 0)
                try grown.deleteAll(but: 20 + round)
                let took = try timed {
                    try eventually("writes are taken") { try grown.writeOne() == nil ? () : nil }
                }.time
                longest = max(longest, took)
                #expect(try grown.violations() == [])
            }
            let seen = reads.stop()
            #expect(seen.problems == [])
            #expect(seen.count > 1_000)
            try node.kill()
            try node.start()
            try node.waitUntilServing()
            grown.connection = try node.connect()
            #expect(try grown.violations() == [])
            say(
                "one node, filled by itself \(Self.rounds) times: writes at most \(longest) after the deletions, "
                    + "\(seen.count) reads meanwhile, longest wait for one \(seen.longestGap)")
        }

        // MARK: - Nodes

        private func start(on disk: LossyDisk, _ arguments: [String]) throws -> DaemonProcess {
            let node = try DaemonProcess.withoutPortClashes {
                var settings = try DaemonProcess.Settings(sandbox)
                settings.arguments = arguments
                settings.environment = DaemonProcess.withoutBacktrace
                settings.live(on: disk)
                return [DaemonProcess(settings, sandbox: sandbox)]
            }[0]
            try node.waitUntilServing()
            return node
        }

        private func waitForReserve(of node: DaemonProcess) throws {
            try eventually("the reserve is there") {
                var status = stat()
                return stat(node.settings.directory + "/RESERVE", &status) == 0 && status.st_size > 0 ? () : nil
            }
        }

        /// Kills the node, unless it has ended by itself, as it may where it can't go on. While it runs, it reads.
        ///
        /// - Returns: 1 if it had ended.
        private func end(_ node: DaemonProcess) throws -> Int {
            let serves = try node.servesOrEnds()
            if serves { try node.kill() } else { try checkEnd(of: node) }
            return serves ? 0 : 1
        }

        /// - Returns: 1 if it had ended.
        private func restartIfEnded(_ node: DaemonProcess) throws -> Int {
            if try node.servesOrEnds() { return 0 }
            try checkEnd(of: node)
            try node.start()
            try node.waitUntilServing()
            return 1
        }

        private func checkEnd(of node: DaemonProcess) throws {
            let exit = try node.current.ended
            #expect(exit == .code(74) || exit == .signal(SIGABRT), "\(node.lastWord)")
        }
    }
}

/// A client that reads one key all the time.
private final class ReadLoad: Sendable {
    struct Seen: Sendable {
        var count = 0
        var longestGap = Duration.zero
        var problems: [String] = []
    }

    private let isEnough = StopFlag()
    private let thread: Workers<Seen>

    init(port: UInt16, key: String) {
        let isEnough = isEnough
        thread = Workers(1) { _ in
            var seen = Seen()
            guard let connection = try? RedisConnection(port: port) else { return Seen(problems: ["no connection"]) }
            while !isEnough.isRaised, seen.problems.count < 10 {
                let begun = ContinuousClock.now
                let reply = try? connection("GET", key)
                seen.longestGap = max(seen.longestGap, .now - begun)
                seen.count += 1
                if reply != .text("value") { seen.problems.append("\(reply.map { "\($0)" } ?? "no answer")") }
                pause(.milliseconds(1))
            }
            return seen
        }
    }

    func stop() -> Seen {
        isEnough.raise()
        return thread.join()[0]
    }
}
