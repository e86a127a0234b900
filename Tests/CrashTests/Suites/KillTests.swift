import Foundation
import Testing

extension CrashTests {
    @Suite("kill -9 under load") struct KillTests {
        private let sandbox = Sandbox.current!
        private static let series = CrashForm.pick(short: 1, long: 10)
        private static let kills = CrashForm.pick(short: 10, long: 25)

        /// Every third time the process is killed again while it recovers.
        @Test(arguments: 1...series)
        func `one node loses nothing that it acknowledged`(series: Int) throws {
            var random = SplitMix64(seed: CrashForm.seed &* 1_000 + UInt64(series))
            let arguments = series.isMultiple(of: 2) ? DaemonProcess.frugal : DaemonProcess.restless
            let node = try DaemonProcess.single(sandbox, arguments: arguments)
            var chronicle = Chronicle()
            var kills = 0
            while kills < Self.kills {
                let round = "one-\(series)-\(kills)"
                let ledger = try underLoad([node], round: round) {
                    breathe(upTo: 60, &random)
                    try node.kill()
                    kills += 1
                    if kills.isMultiple(of: 3) { kills += try killInRecovery(node, &random) }
                    try node.start()
                }
                try node.waitUntilServing()
                try chronicle.add(ledger, round: round, readAt: node)
            }
            try chronicle.check(at: node)
            #expect(try node.terminate() == .code(0))
            say("one node, series \(series): \(kills) kills, \(chronicle.summary)")
        }

        private func killInRecovery(_ node: DaemonProcess, _ random: inout SplitMix64) throws -> Int {
            try node.start()
            breathe(upTo: 120, &random)
            try node.kill()
            return 1
        }

        /// The leader, a follower, two or all three; registers beside the ledger, for the order of things.
        @Test(arguments: 1...series)
        func `three nodes lose nothing and keep one order`(series: Int) throws {
            var random = SplitMix64(seed: CrashForm.seed &* 2_000 + UInt64(series))
            let arguments = series.isMultiple(of: 2) ? DaemonProcess.frugal : DaemonProcess.restless
            let cluster = try Cluster(sandbox, arguments: arguments)
            let registers = RegisterLoad(ports: cluster.nodes.map(\.settings.redis), clients: 4)
            defer { registers.stop() }
            var chronicle = Chronicle()
            var kills = 0
            while kills < Self.kills {
                let round = "three-\(series)-\(kills)"
                let ledger = try underLoad(cluster.nodes, round: round) {
                    breathe(upTo: 60, &random)
                    let victims = try victims(of: cluster, &random)
                    for victim in victims { try victim.kill() }
                    kills += victims.count
                    breathe(upTo: 400, &random)
                    for victim in victims { try victim.start() }
                }
                try cluster.waitUntilServing()
                try chronicle.add(ledger, round: round, readAt: cluster.nodes.randomElement(using: &random)!)
            }
            for node in cluster.nodes { try chronicle.check(at: node) }
            registers.check(minimum: 300)
            say(
                "three nodes, series \(series): \(kills) kills, \(chronicle.summary)"
            )
        }

        private func victims(of cluster: Cluster, _ random: inout SplitMix64) throws -> [DaemonProcess] {
            switch Int.random(in: 0..<6, using: &random) {
            case 0...1: [try cluster.leader()]
            case 2: [try cluster.followers()[0]]
            case 3: Array(cluster.nodes.shuffled(using: &random).prefix(2))
            default: cluster.nodes.shuffled(using: &random)
            }
        }

        /// The negative control: a node that acknowledges what it never wrote.
        @Test func `a node that leaves writes out is found out`() throws {
            let node = try DaemonProcess.single(sandbox, arguments: ["--fault-injection", "yes"])
            let ledger = try underLoad([node], round: "control", after: 0) {
                #expect(try node.order("SET", "log-before-sync", "lose") == .ok)
                pause(.milliseconds(300))
                try node.kill()
            }
            try node.start()
            // It may notice by itself, where a flush of its state went beyond what is left of its log.
            if try node.servesOrEnds() {
                #expect(try !ledger.violations(node.connect()).isEmpty)
            } else {
                #expect(try node.current.wait() == .code(65), "\(node.lastWord)")
            }
        }
    }
}
