import Linearizability
import RESP

/// A client that works on a few registers and notes every operation with its interval.
struct RegisterClient: Sendable {
    private static let keys = 3
    /// After this long everybody turns to fresh keys, so that histories stay short enough to be searched.
    private static let epoch = Duration.seconds(2)

    private let ports: [UInt16]
    private let number: Int
    private let start: ContinuousClock.Instant
    private let answers: Counter
    private(set) var history = History()
    /// Replies that no operation of these may have.
    private(set) var unexpected: [String] = []

    /// - Parameters:
    ///   - ports: of the nodes; each operation goes to one of them, by chance.
    ///   - start: the zero of the history's clock, the same for all clients.
    ///   - answers: counts operations of known outcome.
    init(ports: [UInt16], number: Int, start: ContinuousClock.Instant, answers: Counter) {
        (self.ports, self.number, self.start, self.answers) = (ports, number, start, answers)
    }

    mutating func run(until stop: StopFlag) {
        var random = SplitMix64(seed: UInt64(number) + 100)
        var connections = [RedisConnection?](repeating: nil, count: ports.count)
        var lastSeen: [String: Register.Value] = [:]
        var count = 0
        while !stop.isRaised {
            count += 1
            let epoch = Int((ContinuousClock.now - start) / Self.epoch)
            let key = "e\(epoch)-\(Int.random(in: 0..<Self.keys, using: &random))"
            // A thousand apart, so that increments do not meet another client's values.
            let fresh = Register.Value(Int64((count * 16 + number) * 1_000))
            let call = Self.call(fresh, lastSeen: lastSeen[key] ?? "0", &random)
            let place = Int.random(in: 0..<ports.count, using: &random)
            let connection = connections[place] ?? (try? RedisConnection(port: ports[place], timeout: .seconds(3)))
            let reply = perform(call, key, on: connection)
            connections[place] = reply == nil ? nil : connection
            if case .value(let value?) = reply.flatMap(call.reply) { lastSeen[key] = value }
            pause(.milliseconds(Int.random(in: 1...6, using: &random)))
        }
    }

    private static func call(
        _ fresh: Register.Value, lastSeen: Register.Value, _ random: inout SplitMix64
    ) -> Register.Call {
        switch Int.random(in: 0..<20, using: &random) {
        case 0..<9: .get
        case 9..<13: .set(fresh)
        case 13..<15: .increment(by: 1)
        case 15..<18: .compareAndSet(expected: lastSeen, new: fresh)
        case 18: .append("x")
        default: .delete
        }
    }

    /// - Returns: what the node answered; `nil` if it did not, and the connection is of no more use.
    private mutating func perform(_ call: Register.Call, _ key: String, on connection: RedisConnection?) -> Reply? {
        guard let connection else { return nil }
        let invoked = ContinuousClock.now
        let reply = try? connection.call(call.command(key))
        let returned = ContinuousClock.now
        let outcome = call.outcome(reply)
        if outcome == nil { unexpected.append("\(call) was answered \(reply!)") }
        if case .replied? = outcome { answers.add() }
        history.record(
            Operation(
                client: number, call: call, outcome: outcome ?? .unknown, invoked: nanoseconds(invoked),
                returned: nanoseconds(returned)),
            key: key)
        return reply
    }

    private func nanoseconds(_ instant: ContinuousClock.Instant) -> UInt64 {
        UInt64((instant - start) / .nanoseconds(1))
    }
}
