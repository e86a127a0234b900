import Foundation
import RESP
import Testing

extension CrashTests {
    /// A crash at every place that has a name: see `ROOST.DEBUG FAILPOINT LIST`.
    @Suite("Crashes at named places") struct FailpointTests {
        private let sandbox = Sandbox.current!
        /// How often each place is tried.
        private static let rounds = CrashForm.pick(short: 1, long: 3)

        /// Passed all the time by a node that serves writes.
        private static let working = [
            "log-before-sync", "log-after-sync", "log-after-report", "truncate-before", "truncate-after",
            "apply-before",
            "apply-after", "apply-after-reply", "state-put", "flush-before", "flush-after",
        ]
        private static let failing = [
            "log-before-sync", "log-after-sync", "truncate-before", "apply-before", "flush-before", "flush-after",
        ]
        /// More places where an error can be ordered; the short form tries some.
        private static let failingWhereSent = CrashForm.pick(
            short: ["snapshot-send-chunk"],
            long: ["snapshot-make-block", "snapshot-make-before-rename", "snapshot-send-chunk"])
        private static let failingWhereReceived = CrashForm.pick(
            short: ["snapshot-receive-before-sync"],
            long: [
                "snapshot-receive-chunk", "snapshot-receive-before-sync", "snapshot-receive-before-rename",
                "install-before", "install-after-create", "install-while-loading", "install-before-ingest",
                "install-after-ingest", "install-after-pointer",
            ])
        private static let failingWhereMet = CrashForm.pick(
            short: ["suspect-before-write"], long: ["suspect-before-write", "peer-before-write"])
        private static let failingWhereLeft = ["leave-before-write"]
        private static let sending = [
            "snapshot-make-before", "snapshot-make-block", "snapshot-make-before-rename", "snapshot-make-after-rename",
            "snapshot-send-before", "snapshot-send-chunk", "snapshot-send-after",
        ]
        private static let receiving = [
            "snapshot-receive-before", "snapshot-receive-chunk", "snapshot-receive-before-sync",
            "snapshot-receive-before-rename", "snapshot-receive-after-rename", "install-before", "install-after-create",
            "install-while-loading", "install-before-ingest", "install-after-ingest", "install-after-pointer",
            "install-after-drop", "install-after-remove",
        ]
        private static let founding = [
            "found-after-identity", "found-before-records", "found-before-mark", "rare-before-flush",
        ]
        private static let meeting = [
            "suspect-before-write", "suspect-after-write", "peer-before-write", "peer-after-write",
        ]
        private static let recovering = [
            "recover-before-open", "recover-after-open", "recover-before-replay", "recover-while-replaying",
            "recover-after-replay",
        ]
        private static let orphaning = ["recover-before-orphan"]
        /// Tried by `SelfRepairTests`, which knows how to damage a node.
        private static let repairing = [
            "repair-before", "repair-before-copy-rename", "repair-before-unmark", "repair-before-done",
        ]
        private static let closing = ["close-before-flush", "close-before-close"]
        private static let leading = ["member-before-propose"]
        private static let changing = [
            "member-before-sync", "member-after-sync", "member-before-apply", "member-after-apply",
        ]
        private static let leaving = ["leave-before-write", "leave-after-write"]
        private static let transferring = ["transfer-before", "transfer-received", "transfer-after"]

        @Test func `every place has its test`() throws {
            let node = try DaemonProcess.single(sandbox, arguments: DaemonProcess.harmable)
            let lines = try #require(try node.order("LIST").elements)
            let tried =
                Self.working + Self.sending + Self.receiving + Self.founding + Self.meeting + Self.recovering
                + Self.orphaning + Self.repairing + Self.closing + Self.leading + Self.changing + Self.leaving
                + Self.transferring
            #expect(Set(lines.compactMap(\.text)) == Set(tried))
            #expect(lines.count >= 25)
        }

        @Test(.enabled(if: CrashForm.current == .long, "the short form tries some of them"))
        func `every place that can fail is made to`() throws {
            let node = try DaemonProcess.single(sandbox, arguments: DaemonProcess.harmable)
            let places = try #require(try node.order("LIST").elements).compactMap(\.text)
            let failing = try places.filter { try node.order("SET", $0, "error", "after", "1000000000") == .ok }
            let tried =
                Self.failing + Self.failingWhereSent + Self.failingWhereReceived + Self.failingWhereMet
                + Self.failingWhereLeft
            #expect(Set(failing) == Set(tried))
        }

        /// What is ordered for some places, one after another.
        private static func trials(_ crashes: [String], _ errors: [String]) -> [(place: String, action: String)] {
            crashes.map { ($0, "crash") } + errors.map { ($0, "error") }
        }

        @Test func `without the setting nothing can be ordered`() throws {
            let node = try DaemonProcess.single(sandbox)
            #expect(
                try node.order("SET", "log-before-sync", "crash").errorText?.hasPrefix("ERR fault injection is off")
                    == true)
            #expect(try node.terminate() == .code(0))
            try node.start(adding: ["--failpoints", "log-before-sync crash"])
            #expect(try node.current.wait(within: .seconds(20)) == .code(78))
        }

        /// The negative control: a place that is never passed is no test passed.
        @Test func `a place that is not passed is noticed`() throws {
            let node = try DaemonProcess.single(sandbox, arguments: DaemonProcess.harmable)
            try node.arm("install-before")
            let error = #expect(throws: TestFailure.self) {
                try node.waitForCrash(at: "install-before", within: .seconds(1))
            }
            #expect(error?.description.contains("never passed") == true)
        }

        @Test(arguments: 1...rounds)
        func `a node that serves writes, leader or follower`(round: Int) throws {
            var random = SplitMix64(seed: CrashForm.seed &* 5_000 + UInt64(round))
            let cluster = try Cluster(sandbox, arguments: DaemonProcess.restless + DaemonProcess.harmable)
            var chronicle = Chronicle()
            for (number, place) in (Self.working + Self.working).enumerated() {
                let victim = try number < Self.working.count ? cluster.leader() : cluster.followers()[0]
                let ledger = try underLoad(cluster.nodes, round: "\(place)-\(round)-\(number)") {
                    try victim.arm(place, after: Int.random(in: 0...4, using: &random))
                    try victim.waitForCrash(at: place)
                    try victim.start()
                }
                try cluster.waitUntilServing()
                try chronicle.add(ledger, round: place, readAt: victim)
            }
            for node in cluster.nodes { try chronicle.check(at: node) }
            say(
                "crashes of a serving node, round \(round): \(2 * Self.working.count), \(chronicle.summary)"
            )
        }

        @Test(arguments: 1...rounds)
        func `an error of the storage ends the node with 74, and a restart brings it back`(round: Int) throws {
            let cluster = try Cluster(sandbox, arguments: DaemonProcess.restless + DaemonProcess.harmable)
            var chronicle = Chronicle()
            for (number, place) in Self.failing.enumerated() {
                let victim = try (number + round).isMultiple(of: 2) ? cluster.leader() : cluster.followers()[0]
                let ledger = try underLoad(cluster.nodes, round: "error-\(place)-\(round)") {
                    try victim.arm(place, "error", after: number)
                    let exit = try victim.current.wait(within: .seconds(30))
                    #expect(exit == .code(74), "\(place)")
                    try victim.start()
                }
                try cluster.waitUntilServing()
                try chronicle.add(ledger, round: place, readAt: victim)
            }
        }

        @Test(arguments: 1...rounds)
        func `a leader that makes and sends a snapshot`(round: Int) throws {
            let cluster = try Cluster(sandbox, arguments: DaemonProcess.restless + DaemonProcess.harmable)
            var chronicle = Chronicle()
            for (place, action) in Self.trials(Self.sending, Self.failingWhereSent) {
                let name = "\(place)-\(action)-\(round)"
                let absent = try cluster.followers()[0]
                try chronicle.add(leaveBehind(absent, cluster, name), round: name, readAt: cluster.leader())
                let leader = try cluster.leader()
                try leader.arm(place, action)
                try absent.start()
                try leader.waitForEnd(at: place, by: action)
                try leader.start()
                try cluster.waitUntilServing()
                try chronicle.check(at: absent)
            }
        }

        @Test(arguments: 1...rounds)
        func `a follower that receives and installs a snapshot`(round: Int) throws {
            let cluster = try Cluster(sandbox, arguments: DaemonProcess.restless + DaemonProcess.harmable)
            var chronicle = Chronicle()
            for (place, action) in Self.trials(Self.receiving, Self.failingWhereReceived) {
                let name = "\(place)-\(action)-\(round)"
                let absent = try cluster.followers()[0]
                try chronicle.add(leaveBehind(absent, cluster, name), round: name, readAt: cluster.leader())
                try absent.start(armed: place, action)
                try absent.waitForEnd(at: place, by: action)
                // A generation that is complete and nobody knows: it is dropped at the next start, which crashes too.
                if place == "install-after-ingest", action == "crash" {
                    try absent.start(armed: Self.orphaning[0])
                    try absent.waitForCrash(at: Self.orphaning[0])
                }
                try absent.start()
                try cluster.waitUntilServing()
                try chronicle.check(at: absent)
            }
        }

        // MARK: - The power goes, too

        /// What a killed process has written and not synced is there for the next one; after a power cut it is not.
        @Test(.enabled(if: LossyDisk.isAvailable), arguments: 1...rounds)
        func `the power goes at any step of serving and recovering`(round: Int) throws {
            var random = SplitMix64(seed: CrashForm.seed &* 7_000 + UInt64(round))
            let disk = try LossyDisk(sandbox, mebibytes: 256)
            let node = try DaemonProcess.withoutPortClashes {
                var settings = try DaemonProcess.Settings(sandbox)
                settings.arguments = DaemonProcess.restless + DaemonProcess.harmable
                settings.live(on: disk)
                return [DaemonProcess(settings, sandbox: sandbox)]
            }[0]
            try node.waitUntilServing()
            var chronicle = Chronicle()
            for place in Self.working + Self.recovering {
                let ledger = try underLoad([node], round: "cut-\(place)-\(round)") {
                    if Self.working.contains(place) {
                        try node.arm(place, after: Int.random(in: 0...4, using: &random))
                    } else {
                        try node.kill()
                        try node.start(armed: place)
                    }
                    try node.waitForCrash(at: place)
                    try disk.cut(.copy)
                    try node.start()
                }
                try node.waitUntilServing()
                try chronicle.add(ledger, round: place, readAt: node)
            }
            try chronicle.check(at: node)
            say("power cuts at \((Self.working + Self.recovering).count) places, round \(round): \(chronicle.summary)")
        }

        @Test(.enabled(if: LossyDisk.isAvailable), arguments: 1...rounds)
        func `the power goes at any step of an install`(round: Int) throws {
            let disks = try (1...3).map { _ in try LossyDisk(sandbox, mebibytes: 256) }
            let cluster = try Cluster(sandbox, arguments: DaemonProcess.restless + DaemonProcess.harmable) {
                $0.live(on: disks[Int($0.node) - 1])
            }
            var chronicle = Chronicle()
            for place in Self.receiving {
                let name = "cut-\(place)-\(round)"
                let absent = try cluster.followers()[0]
                try chronicle.add(leaveBehind(absent, cluster, name), round: name, readAt: cluster.leader())
                try absent.start(armed: place)
                try absent.waitForCrash(at: place)
                try disks[Int(absent.node) - 1].cut(.copy)
                try absent.start()
                try cluster.waitUntilServing()
                try chronicle.check(at: absent)
            }
            say("power cuts at \(Self.receiving.count) places of an install, round \(round): \(chronicle.summary)")
        }

        // MARK: - Snapshots

        /// Kills the follower and writes until the log of the leader begins behind what it has.
        private func leaveBehind(_ absent: DaemonProcess, _ cluster: Cluster, _ name: String) throws -> Ledger {
            let last = try absent.status().last
            try absent.kill()
            return try underLoad(cluster.running, round: name) {
                try eventually("the log is cut beyond \(last)", within: .seconds(60), every: .milliseconds(50)) {
                    try cluster.leader().status().first > last + 1 ? () : nil
                }
            }
        }

        @Test func `a directory that is being made`() throws {
            for place in Self.founding {
                let node = try DaemonProcess(.init(sandbox), sandbox: sandbox)
                try node.start(armed: place)
                try node.waitForCrash(at: place)
                try node.start()
                try node.waitUntilServing()
                #expect(try node.connect()("SET", "k", "v") == .ok, "\(place)")
                #expect(try node.terminate() == .code(0), "\(place)")
            }
        }

        @Test func `a founder that notes whom it met, and that it may vote`() throws {
            for (place, action) in Self.trials(Self.meeting, Self.failingWhereMet) {
                let nodes = try founders()
                for node in nodes.dropFirst() { try node.start() }
                try nodes[0].start(armed: place, action)
                try nodes[0].waitForEnd(at: place, by: action)
                try nodes[0].start()
                for node in nodes { try node.waitUntilServing() }
                #expect(try nodes[0].connect()("SET", "k", "v") == .ok, "\(place)")
                for node in nodes { try node.kill() }
            }
        }

        /// Three that found a cluster together, not started.
        private func founders() throws -> [DaemonProcess] {
            var settings = try (1...3).map { try DaemonProcess.Settings(sandbox, node: $0) }
            let ports = Dictionary(uniqueKeysWithValues: settings.map { ($0.node, $0.peer) })
            for index in settings.indices { settings[index].founders = ports }
            return settings.map { DaemonProcess($0, sandbox: sandbox) }
        }

        @Test(arguments: 1...rounds)
        func `a node that recovers`(round: Int) throws {
            let node = try DaemonProcess.single(sandbox)
            var chronicle = Chronicle()
            for place in Self.recovering {
                let ledger = try underLoad([node], round: "\(place)-\(round)") {
                    try node.kill()
                    try node.start(armed: place)
                    try node.waitForCrash(at: place)
                    try node.start()
                }
                try node.waitUntilServing()
                try chronicle.add(ledger, round: place, readAt: node)
            }
            try chronicle.check(at: node)
        }

        @Test(arguments: 1...rounds)
        func `a node that stops in an orderly way`(round: Int) throws {
            let node = try DaemonProcess.single(sandbox, arguments: DaemonProcess.harmable)
            var chronicle = Chronicle()
            for place in Self.closing {
                let ledger = try underLoad([node], round: "\(place)-\(round)") {
                    try node.arm(place)
                    try node.current.send(SIGTERM)
                    try node.waitForCrash(at: place)
                    try node.start()
                }
                try node.waitUntilServing()
                try chronicle.add(ledger, round: place, readAt: node)
            }
        }

        /// A node joins and becomes a voter, whoever crashes; then it is removed.
        @Test(arguments: 1...rounds)
        func `a change of the membership`(round: Int) throws {
            let cluster = try ElasticCluster(sandbox, arguments: DaemonProcess.restless + DaemonProcess.harmable)
            let load = WriteLoad(ports: cluster.ports, writers: 2, prefix: "member-\(round)")
            do {
                for place in Self.leading + Self.changing { try crash(try cluster.leader(), at: place, cluster) }
                for place in Self.changing { try crash(try cluster.follower(), at: place, cluster) }
            } catch {
                _ = load.stop()
                throw error
            }
            let ledger = load.stop()
            for node in cluster.running { #expect(try ledger.violations(node.connect(timeout: .seconds(30))) == []) }
            #expect(try cluster.leader().status().voters.count == 3)
            say("crashes in membership changes, round \(round): \(ledger.summary)")
        }

        private func crash(_ victim: DaemonProcess, at place: String, _ cluster: ElasticCluster) throws {
            let door = try #require(cluster.running.first { $0 !== victim })
            let newcomer = try cluster.newcomer(through: door)
            try victim.arm(place)
            try newcomer.start()
            try victim.waitForCrash(at: place)
            try victim.start()
            try cluster.waitUntilVoter(newcomer, within: .seconds(60))
            try victim.waitUntilServing(within: .seconds(40))
            let id = try newcomer.id
            try cluster.remove(id)
            let exit = try newcomer.current.wait(within: .seconds(30))
            #expect(exit == .code(0), "\(place)")
        }

        @Test func `a node that leaves`() throws {
            let cluster = try ElasticCluster(sandbox, arguments: DaemonProcess.harmable)
            for (place, action) in Self.trials(Self.leaving, Self.failingWhereLeft) {
                let newcomer = try cluster.grow(within: .seconds(60))
                let id = try newcomer.id
                try newcomer.arm(place, action)
                try cluster.remove(id)
                try newcomer.waitForEnd(at: place, by: action)
                try newcomer.start()
                // Whether or not it has a note of it, it stays away.
                let exit = try newcomer.current.wait(within: .seconds(30))
                #expect(exit == .code(0), "\(place)")
                #expect(try cluster.leader().status().voters == [1, 2, 3])
            }
        }

        @Test(arguments: 1...rounds)
        func `a hand-over of leadership`(round: Int) throws {
            let cluster = try Cluster(sandbox, arguments: DaemonProcess.harmable)
            var chronicle = Chronicle()
            for place in Self.transferring {
                let leader = try cluster.leader()
                let target = try cluster.followers()[0]
                let victim = place == "transfer-received" ? target : leader
                let ledger = try underLoad(cluster.nodes, round: "\(place)-\(round)") {
                    try victim.arm(place)
                    // The answer may be lost with the node.
                    _ = try? leader.connect().call(["ROOST.MEMBER", "TRANSFER", "\(target.node)"])
                    try victim.waitForCrash(at: place)
                    try victim.start()
                }
                try cluster.waitUntilServing()
                try chronicle.add(ledger, round: place, readAt: victim)
            }
        }
    }
}
