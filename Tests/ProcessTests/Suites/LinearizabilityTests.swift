import Testing

extension ProcessTests {
    @Suite("Linearizability under faults") struct LinearizabilityTests {
        private let sandbox = Sandbox.current!
        private static let clients = 6
        private static let enough = 1_000
        private static let duration = Duration.seconds(20)

        @Test func `one register per key while nodes are paused and killed`() throws {
            let cluster = try Cluster(sandbox, timing: .shipped)
            var random = SplitMix64(seed: 20_260)
            try disturb(cluster) { round in
                let victim = try round % 3 == 0 ? cluster.nodes.randomElement(using: &random)! : cluster.leader()
                if round.isMultiple(of: 2) {
                    try victim.kill()
                    pause(.milliseconds(Int.random(in: 100...1_200, using: &random)))
                    try victim.start()
                } else {
                    try victim.pause()
                    pause(.milliseconds(Int.random(in: 200...1_500, using: &random)))
                    try victim.resume()
                }
                pause(.milliseconds(Int.random(in: 100...800, using: &random)))
            }
        }

        @Test func `one register per key while the network is cut in two, in one direction or for a moment`() throws {
            let cluster = try Cluster(sandbox, timing: .shipped, proxied: true)
            var random = SplitMix64(seed: 7)
            try disturb(cluster) { round in
                let leader = try cluster.leader()
                switch round % 4 {
                case 0: cluster.isolate(leader)
                case 1: cluster.mute(leader)
                case 2: cluster.isolate(cluster.nodes.randomElement(using: &random)!)
                default: cluster.proxies.forEach { $0.cut() }
                }
                pause(.milliseconds(Int.random(in: 300...2_000, using: &random)))
                cluster.heal()
                pause(.milliseconds(Int.random(in: 100...800, using: &random)))
            }
        }

        /// Lets the clients work while `fault` is called again and again, then checks what they saw.
        private func disturb(_ cluster: Cluster, _ fault: (_ round: Int) throws -> Void) throws {
            let load = RegisterLoad(ports: cluster.nodes.map(\.settings.redis), clients: Self.clients)
            defer { load.stop() }
            let stretch = Stretch(Self.duration)
            var round = 0
            while stretch.goesOn(until: load.answered > 2 * Self.enough) {
                round += 1
                try fault(round)
            }
            try cluster.waitUntilServing()
            load.check(minimum: Self.enough)
        }
    }
}
