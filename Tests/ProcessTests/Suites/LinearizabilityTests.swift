import RESP
import Testing

extension ProcessTests {
    @Suite("Linearizability under faults") struct LinearizabilityTests {
        private let sandbox = Sandbox.current!
        private static let clients = 6
        private static let duration = Duration.seconds(20)

        @Test func `one register per key while nodes are paused and killed`() throws {
            let cluster = try Cluster(sandbox)
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
            let cluster = try Cluster(sandbox, proxied: true)
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
            let ports = cluster.nodes.map(\.settings.redis)
            let start = ContinuousClock.now
            let stop = StopFlag()
            let clients = Workers(Self.clients) { number in
                var client = RegisterClient(ports: ports, number: number, start: start)
                client.run(until: stop)
                return client
            }
            let outcome = Result {
                var round = 0
                while ContinuousClock.now < start + Self.duration {
                    round += 1
                    try fault(round)
                }
                try cluster.waitUntilServing()
            }
            stop.raise()
            let records = clients.join()
            try outcome.get()
            #expect(records.flatMap(\.unexpected).isEmpty, "\(records.flatMap(\.unexpected).prefix(5))")
            var histories: [String: [Operation]] = [:]
            for record in records { histories.merge(record.histories, uniquingKeysWith: +) }
            check(histories)
        }

        private func check(_ histories: [String: [Operation]]) {
            let operations = histories.values.joined()
            let known = operations.count { $0.result != nil }
            print("\(histories.count) keys, \(known) operations, \(operations.count - known) of unknown outcome")
            // A history without reads or without luck proves nothing.
            #expect(known > 1_000)
            #expect(operations.count { if case .value(.some) = $0.result { true } else { false } } > 100)
            #expect(operations.count { $0.result == .ok } > 100)
            for (key, history) in histories.sorted(by: { $0.key < $1.key }) {
                let verdict = LinearizabilityChecker().check(history)
                #expect(verdict == .linearizable, "\(key):\n\(listing(history))")
            }
        }

        private func listing(_ history: [Operation]) -> String {
            let origin = history.map(\.invoked).min() ?? .now
            return history.sorted { $0.invoked < $1.invoked }.map { operation in
                let result = operation.result.map { "\($0)" } ?? "unknown"
                return
                    "\(operation.invoked - origin) ... \(operation.returned - origin): \(operation.call) -> \(result)"
            }.joined(separator: "\n")
        }
    }
}

/// A client that notes every operation with its interval.
struct RegisterClient: Sendable {
    private static let keys = 3
    /// After this long everybody turns to fresh keys, so that histories stay short enough to be searched.
    private static let epoch = Duration.seconds(2)

    private let ports: [UInt16]
    private let number: Int
    private let start: ContinuousClock.Instant
    private(set) var histories: [String: [Operation]] = [:]
    /// Replies that no operation of these may have.
    private(set) var unexpected: [String] = []

    init(ports: [UInt16], number: Int, start: ContinuousClock.Instant) {
        (self.ports, self.number, self.start) = (ports, number, start)
    }

    mutating func run(until stop: StopFlag) {
        var random = SplitMix64(seed: UInt64(number) + 100)
        var connections = [RedisConnection?](repeating: nil, count: ports.count)
        var count = 0
        var lastSeen: [String: Int] = [:]
        while !stop.isRaised {
            count += 1
            let epoch = Int((ContinuousClock.now - start) / Self.epoch)
            let key = "e\(epoch)-\(Int.random(in: 0..<Self.keys, using: &random))"
            // A thousand apart, so that increments do not meet another client's values.
            let fresh = (count * 16 + number) * 1_000
            let call: Operation.Call =
                switch Int.random(in: 0..<10, using: &random) {
                case 0..<5: .get
                case 5..<7: .set(fresh)
                case 7: .increment
                default: .compareAndSet(old: lastSeen[key] ?? 0, new: fresh)
                }
            let place = Int.random(in: 0..<ports.count, using: &random)
            let connection = connections[place] ?? (try? RedisConnection(port: ports[place], timeout: .seconds(3)))
            connections[place] = perform(call, key, on: connection) ? connection : nil
            if case .value(let value) = histories[key]?.last?.result { lastSeen[key] = value }
            pause(.milliseconds(Int.random(in: 1...6, using: &random)))
        }
    }

    /// - Returns: whether the connection is still of use.
    private mutating func perform(_ call: Operation.Call, _ key: String, on connection: RedisConnection?) -> Bool {
        guard let connection else { return false }
        let invoked = ContinuousClock.now
        let reply = try? connection.call(call.command(key))
        let returned = ContinuousClock.now
        if let word = reply?.errorWord, word != ErrorWord.unknownOutcome {
            // Certainly not applied: as if it had never been called. If it was applied after all, a read will show it.
            if !ErrorWord.notApplied.contains(word) { unexpected.append("\(call) was answered \(reply!)") }
            return true
        }
        let result = reply.flatMap(call.result)
        if let reply, result == nil, reply.errorWord == nil { unexpected.append("\(call) was answered \(reply)") }
        // A read without an answer says nothing.
        if result != nil || call != .get {
            histories[key, default: []].append(
                Operation(call: call, result: result, invoked: invoked, returned: returned))
        }
        return reply != nil
    }
}

extension Operation.Call {
    func command(_ key: String) -> Command {
        switch self {
        case .get: ["GET", key]
        case .set(let value): ["SET", key, "\(value)"]
        case .compareAndSet(let old, let new): ["SET", key, "\(new)", "IFEQ", "\(old)"]
        case .increment: ["INCR", key]
        }
    }

    /// `nil` for an error, and for a reply that this command cannot have.
    func result(_ reply: Reply) -> Operation.Result? {
        switch (self, reply) {
        case (.get, .null): .value(nil)
        case (.get, .bulk): reply.text.flatMap { Int($0) }.map { .value($0) }
        case (.set, .ok), (.compareAndSet, .ok): .ok
        case (.compareAndSet, .null): .mismatch
        case (.increment, .integer(let count)): .count(Int(count))
        default: nil
        }
    }
}
