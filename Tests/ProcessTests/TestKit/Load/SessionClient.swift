import RESP

/// A client with a session: it sends each request to nodes by chance until one answers, and some once more after that.
/// Every answer to a request must be the same, and the one of a program that runs alone.
struct SessionClient {
    private static let replyTimeout = Duration.seconds(3)
    /// How long a request is sent again after the load was to stop.
    private static let patience = Duration.patience

    private let ports: [UInt16]
    private let number: Int
    private let answered: Counter
    private var random: SplitMix64
    private var connections: [RedisConnection?]
    private var model = StringModel()
    /// Answers that are not as they must be, in words.
    private(set) var violations: [String] = []
    /// Requests that were sent again without an answer to an earlier sending that may have arrived.
    private(set) var repeatedBlindly = 0
    /// Requests that were sent again after they had been answered.
    private(set) var repeatedKnowingly = 0

    /// - Parameter answered: counts requests.
    init(ports: [UInt16], number: Int, answered: Counter) {
        (self.ports, self.number, self.answered) = (ports, number, answered)
        random = SplitMix64(seed: UInt64(number) + 7_000)
        connections = Array(repeating: nil, count: ports.count)
    }

    /// What became of it, without what belongs to its thread.
    struct Record: Sendable {
        var violations: [String]
        var repeatedBlindly: Int
        var repeatedKnowingly: Int
        /// What each key must hold in the end.
        var model: StringModel
    }

    mutating func run(until stop: StopFlag) -> Record {
        if let session = open(until: stop) {
            var request = 0
            while !stop.isRaised, violations.isEmpty {
                request += 1
                perform(request, in: session, until: stop)
            }
        }
        return Record(
            violations: violations, repeatedBlindly: repeatedBlindly, repeatedKnowingly: repeatedKnowingly, model: model
        )
    }

    /// The keys of a client are its own.
    static func keys(of number: Int) -> [String] { ["count", "list", "chain"].map { "once\(number)-\($0)" } }

    private mutating func open(until stop: StopFlag) -> String? {
        while !stop.isRaised {
            if let token = send(["ROOST.SESSION", "OPEN"])?.text, !token.contains(" ") { return token }
            pause(.milliseconds(20))
        }
        return nil
    }

    /// Each of these shows when it is executed twice, or not at all.
    private func command(_ request: Int) -> Command {
        let keys = Self.keys(of: number)
        return switch request % 3 {
        case 0: ["INCRBY", keys[0], "1"]
        case 1: ["APPEND", keys[1], "\(request);"]
        default: request == 2 ? ["SET", keys[2], "2"] : ["SET", keys[2], "\(request)", "IFEQ", "\(request - 3)"]
        }
    }

    /// Ends only with an answer: what was begun must be known in the end. The nodes come back before the load stops.
    private mutating func perform(_ request: Int, in session: String, until stop: StopFlag) {
        let command = command(request)
        let expected = model.run(command)
        var left = Int.random(in: 1...3, using: &random)
        var isSent = false
        var deadline: ContinuousClock.Instant?
        while left > 0 {
            if stop.isRaised { deadline = deadline ?? .now + Self.patience }
            if let deadline, .now > deadline {
                violations.append("#\(request) \(command) was not answered within \(Self.patience)")
                return
            }
            let reply = send(["ROOST.ONCE", session, "\(request)"] + command)
            let word = reply?.errorWord ?? ""
            guard let reply, word != ErrorWord.unknownOutcome, !ErrorWord.notApplied.contains(word) else {
                if isSent { repeatedBlindly += 1 }
                isSent = true
                pause(.milliseconds(20))
                continue
            }
            if reply != expected { violations.append("#\(request) \(command) was answered \(reply), not \(expected)") }
            if left > 1 { repeatedKnowingly += 1 }
            left -= 1
        }
        answered.add()
    }

    private mutating func send(_ command: Command) -> Reply? {
        let place = Int.random(in: 0..<ports.count, using: &random)
        let open = connections[place] ?? (try? RedisConnection(port: ports[place], timeout: Self.replyTimeout))
        let reply = open.flatMap { try? $0.call(command) }
        connections[place] = reply == nil ? nil : open
        return reply
    }
}
