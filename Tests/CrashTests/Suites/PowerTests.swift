import Foundation
import Testing

extension CrashTests {
    @Suite("Power cuts under load", .enabled(if: LossyDisk.isAvailable)) struct PowerTests {
        private let sandbox = Sandbox.current!
        private static let series = CrashForm.pick(short: 1, long: 5)
        private static let cuts = CrashForm.pick(short: 5, long: 10)
        private static let imageMebibytes = 256

        @Test(arguments: 1...series)
        func `one node loses nothing that it acknowledged`(series: Int) throws {
            var random = SplitMix64(seed: CrashForm.seed &* 3_000 + UInt64(series))
            let disk = try LossyDisk(sandbox, mebibytes: Self.imageMebibytes)
            let node = try start(on: disk, restless: !series.isMultiple(of: 2))
            var (chronicle, kills) = (Chronicle(), 0)
            for cut in 1...Self.cuts {
                let round = "power-one-\(series)-\(cut)"
                let ledger = try underLoad([node], round: round) {
                    breathe(upTo: 80, &random)
                    kills += try killInRecovery(node, times: cut % 3, &random)
                    try disk.cut(cut.isMultiple(of: 2) ? .stop : .copy) { try node.kill() }
                    try node.start()
                }
                try node.waitUntilServing()
                try chronicle.add(ledger, round: round, readAt: node)
            }
            try chronicle.check(at: node)
            say(
                "one node, series \(series): \(Self.cuts) power cuts, \(kills) kills shortly before one, "
                    + chronicle.summary)
        }

        /// What a killed process had written and not synced is there for the next one, but not for good: the power may be
        /// gone while that recovers, or soon after.
        private func killInRecovery(
            _ node: DaemonProcess, times: Int, _ random: inout SplitMix64
        ) throws -> Int {
            for _ in 0..<times {
                try node.kill()
                try node.start()
                breathe(upTo: 150, &random)
            }
            return times
        }

        /// A process takes what it finds for durable, whoever wrote it: so by the time it serves it must be.
        @Test(.enabled(if: Shim.isAvailable)) func `what a recovery has found survives a power cut`() throws {
            let (node, ledger) = try cutAfterRecovery(syncing: true)
            try node.waitUntilServing()
            #expect(try ledger.violations(node.connect()) == [])
            say("what a recovery has found: \(ledger.acknowledged) writes that were never synced before, none lost")
        }

        /// The negative control: a recovery that syncs nothing.
        @Test(.enabled(if: Shim.isAvailable)) func `a recovery that syncs nothing is found out`() throws {
            let (node, ledger) = try cutAfterRecovery(syncing: false)
            guard try node.servesOrEnds() else { return #expect(try node.current.ended == .code(65)) }
            #expect(try !ledger.violations(node.connect()).isEmpty)
        }

        /// A process whose syncs do nothing serves writes and is killed; another one recovers, and then the power is cut.
        ///
        /// - Returns: the node, started once more, and what the first process promised.
        private func cutAfterRecovery(syncing: Bool) throws -> (DaemonProcess, Ledger) {
            let disk = try LossyDisk(sandbox, mebibytes: Self.imageMebibytes)
            let node = try start(on: disk, restless: false)
            try node.kill()
            let lying = try Shim.environment(
                .skip, .sync, at: 1, in: node.settings.directory, note: sandbox.newFolder("note"))
            try node.start(environment: lying)
            try node.waitUntilServing()
            let ledger = try underLoad([node], round: "found", before: 200, after: 0) { try node.kill() }
            try node.start(environment: syncing ? [:] : lying)
            try node.waitUntilServing()
            try disk.cut(.copy) { try node.kill() }
            try node.start()
            return (node, ledger)
        }

        /// Each node has a disk of its own: one, two or all of them lose their power at the same moment.
        @Test(arguments: 1...series)
        func `three nodes lose nothing and keep one order`(series: Int) throws {
            var random = SplitMix64(seed: CrashForm.seed &* 4_000 + UInt64(series))
            let disks = try (1...3).map { _ in try LossyDisk(sandbox, mebibytes: Self.imageMebibytes) }
            let cluster = try Cluster(sandbox, arguments: Self.arguments(restless: !series.isMultiple(of: 2))) {
                $0.live(on: disks[Int($0.node) - 1])
            }
            let registers = RegisterLoad(ports: cluster.nodes.map(\.settings.redis), clients: 4)
            defer { registers.stop() }
            var chronicle = Chronicle()
            for cut in 1...Self.cuts {
                let round = "power-three-\(series)-\(cut)"
                let ledger = try underLoad(cluster.nodes, round: round) {
                    breathe(upTo: 80, &random)
                    let count = cut.isMultiple(of: 2) ? 3 : Int.random(in: 1...2, using: &random)
                    let victims = cluster.nodes.shuffled(using: &random).prefix(count)
                    // All processes die before the first disk is looked at.
                    for victim in victims { try victim.kill() }
                    for victim in victims { try disks[Int(victim.node) - 1].cut(.copy) }
                    for victim in victims { try victim.start() }
                }
                try cluster.waitUntilServing()
                try chronicle.add(ledger, round: round, readAt: cluster.nodes.randomElement(using: &random)!)
            }
            for node in cluster.nodes { try chronicle.check(at: node) }
            registers.check(minimum: 100)
            say("three nodes, series \(series): \(Self.cuts) power cuts, \(chronicle.summary)")
        }

        /// The negative control: syncs that do nothing. Even `kill -9` would not show it.
        @Test(.enabled(if: Shim.isAvailable), arguments: LossyDisk.Cut.allCases)
        func `a node whose syncs do nothing is found out`(cut: LossyDisk.Cut) throws {
            let disk = try LossyDisk(sandbox, mebibytes: Self.imageMebibytes)
            let node = try start(on: disk, restless: false)
            try node.kill()
            let note = sandbox.newFolder("note")
            try node.start(
                environment: Shim.environment(.skip, .sync, at: 1, in: node.settings.directory, note: note))
            try node.waitUntilServing()
            let ledger = try underLoad([node], round: "control", before: 200, after: 0) {
                try disk.cut(cut) { try node.kill() }
            }
            #expect(!readText(note).isEmpty)
            try node.start()
            // It may also find out by itself that its files do not fit together.
            guard try node.servesOrEnds() else { return #expect(try node.current.ended == .code(65)) }
            #expect(try !ledger.violations(node.connect()).isEmpty)
        }

        private func start(on disk: LossyDisk, restless: Bool) throws -> DaemonProcess {
            let node = try DaemonProcess.withoutPortClashes {
                var settings = try DaemonProcess.Settings(sandbox)
                settings.arguments = Self.arguments(restless: restless)
                settings.live(on: disk)
                return [DaemonProcess(settings, sandbox: sandbox)]
            }[0]
            try node.waitUntilServing()
            return node
        }

        private static func arguments(restless: Bool) -> [String] {
            restless ? DaemonProcess.restless : DaemonProcess.frugal
        }
    }
}

extension DaemonProcess.Settings {
    /// The data lie on that disk, the log outside of it.
    mutating func live(on disk: LossyDisk) {
        log = directory + ".log"
        directory = disk.path + "/node"
    }
}
