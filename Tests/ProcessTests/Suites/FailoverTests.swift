import Foundation
import RESP
import Testing

extension ProcessTests {
    @Suite("kill -9 under load: no acknowledged write is lost, none is applied twice") struct FailoverTests {
        private let sandbox = Sandbox.current!
        private static let rounds = 20
        /// `ROOST_LONG=1` makes ten clusters go through the rounds, one after another.
        private static let series = ProcessInfo.processInfo.environment["ROOST_LONG"] == "1" ? 10 : 1
        /// Election time-out (600 ms at most), a vote, a reconnect: a second. The rest is a busy test machine.
        private static let usualTakeover = Duration.seconds(6)

        @Test(arguments: 1...series)
        func `kill -9 of the leader, and in every fifth round of all three`(series: Int) throws {
            let cluster = try Cluster(sandbox, timing: .shipped)
            var takeovers: [Duration] = []
            for round in 1...Self.rounds {
                let load = WriteLoad(ports: cluster.nodes.map(\.settings.redis), writers: 8, prefix: "r\(round)")
                do {
                    if let takeover = try disturb(cluster, round, load) { takeovers.append(takeover) }
                } catch {
                    throw TestFailure("round \(round): \(error); \(load.stop().summary)")
                }
                let ledger = load.stop()
                try cluster.waitUntilServing()
                let reader = cluster.nodes[round % 3]
                let violations = try ledger.violations(reader.connect())
                print("round \(round): \(ledger.summary)")
                try #require(
                    violations.isEmpty, "round \(round), read at node \(reader.node): \(violations.prefix(10))")
            }
            let sorted = takeovers.sorted()
            print("takeover after kill -9 of the leader: median \(sorted[sorted.count / 2]), longest \(sorted.last!)")
            #expect(sorted[sorted.count / 2] < Self.usualTakeover)
        }

        /// One round's fault in the middle of the load; all nodes are started again at its end.
        ///
        /// - Returns: the time without a leader that clients saw, if the leader was killed.
        private func disturb(_ cluster: Cluster, _ round: Int, _ load: WriteLoad) throws -> Duration? {
            try waitForProgress(load, 300, "before the fault")
            if round.isMultiple(of: 5) {
                for node in cluster.nodes { try node.kill() }
                try cluster.restartDead()
                try waitForProgress(load, 500, "after all three were killed and started")
                return nil
            }
            let leader = try cluster.leader()
            load.markFault()
            try leader.kill()
            let takeover = try eventually("a write begun after the kill is acknowledged", every: .milliseconds(1)) {
                load.recovery
            }
            try waitForProgress(load, 600, "with two nodes")
            try leader.start()
            return takeover
        }

        /// A write under way on a link that breaks is sent again; it must still take effect once.
        @Test func `links that break all the time lose nothing and repeat nothing`() throws {
            let cluster = try Cluster(sandbox, timing: .shipped, proxied: true)
            let load = WriteLoad(ports: cluster.nodes.map(\.settings.redis), writers: 12, prefix: "cut")
            var random = SplitMix64(seed: 3)
            let enough = 500
            let stretch = Stretch(.seconds(8))
            while stretch.goesOn(until: load.acknowledged > enough) {
                cluster.proxies.randomElement(using: &random)!.cut()
                pause(.milliseconds(Int.random(in: 5...60, using: &random)))
            }
            let ledger = load.stop()
            print("broken links: \(ledger.summary)")
            try cluster.waitUntilServing()
            for node in cluster.nodes {
                let violations = try ledger.violations(node.connect())
                #expect(violations.isEmpty, "read at node \(node.node): \(violations.prefix(10))")
            }
            #expect(ledger.acknowledged > enough)
        }

        @Test func `an orderly stop of the leader hands over at once and loses nothing`() throws {
            let cluster = try Cluster(sandbox)
            let load = WriteLoad(ports: cluster.nodes.map(\.settings.redis), writers: 4, prefix: "stop")
            defer { _ = load.stop() }
            for _ in 1...3 {
                try waitForProgress(load, 100, "with three nodes")
                let leader = try cluster.leader()
                #expect(try leader.terminate() == .code(0))
                try waitForProgress(load, 100, "with two nodes")
                try leader.start()
                try cluster.waitUntilServing()
            }
            let ledger = load.stop()
            let violations = try ledger.violations(cluster.leader().connect())
            #expect(violations.isEmpty, "\(violations.prefix(10))")
            print("orderly stops: \(ledger.summary)")
        }

        private func waitForProgress(_ load: WriteLoad, _ count: Int, _ what: String) throws {
            let goal = load.acknowledged + count
            try eventually("\(count) more writes acknowledged \(what)", every: .milliseconds(1)) {
                load.acknowledged >= goal ? () : nil
            }
        }
    }
}
