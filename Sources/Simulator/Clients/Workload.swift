import ByteCoding
import KeyValue
import Raft

/// All clients: what they ask for, where, and what they do with answers and silence.
final class Workload {
    /// A session's request is given up after so many attempts, so that it can fall out of the window.
    private static let maxAttempts = 12

    private unowned let world: World
    private var random: RandomStream
    private(set) var clients: [Client] = []
    private(set) var history = ClientHistory()
    /// Until then everybody only reads.
    var quietUntil = WorldTime.zero
    /// Nothing new is begun.
    var isEnding = false
    /// Where clients go; empty: anywhere.
    var preferred: [Int] = []
    private var tokens = 0

    init(world: World, random: RandomStream) {
        self.world = world
        self.random = random
    }

    func begin() {
        let options = world.options
        for place in 0..<options.clients {
            var stream = random.fork(.clients, UInt64(place))
            let (usesSession, node) = (stream.chance(options.workload.sessions), stream.below(options.nodes))
            let client = Client(
                place: place, usesSession: usesSession, isReader: stream.chance(options.workload.readers), node: node,
                lastSeen: Array(repeating: nil, count: options.workload.keys))
            clients.append(client)
            world.plan(.client(Int32(place)), after: random.duration(mean: options.workload.thinkMean))
        }
    }

    var openOperations: Int { clients.count { $0.pending != nil } }

    // MARK: Asking

    /// A client thinks of something new, or tries again.
    func next(_ place: Int) {
        if clients[place].pending == nil {
            if isEnding { return }
            invent(place)
        }
        attempt(place)
    }

    private func invent(_ place: Int) {
        let operation = drawOperation(place)
        clients[place].operations += 1
        var pending = Client.Pending(operation: operation, invoked: world.now)
        if !operation.isRead, operation != .openSession, let session = clients[place].session {
            pending.once = SessionRequest(session: session, sequence: nextSequence(of: place))
        }
        if operation.key != nil { pending.record = history.begin(operation, by: place, at: world.now) }
        clients[place].pending = pending
    }

    /// Numbers count up; now and then one changes places with the next, as if several requests were under way.
    private func nextSequence(of place: Int) -> UInt64 {
        if let skipped = clients[place].skipped.take() { return skipped }
        clients[place].lastSequence += 1
        if random.chance(1_000) {
            clients[place].skipped = clients[place].lastSequence
            clients[place].lastSequence += 1
        }
        return clients[place].lastSequence
    }

    private func drawOperation(_ place: Int) -> ClientOperation {
        let options = world.options.workload
        if clients[place].isReader || world.now < quietUntil { return .get(key: random.below(options.keys)) }
        if clients[place].usesSession, clients[place].session == nil || random.chance(100) { return .openSession }
        let key = random.below(options.keys)
        if random.chance(options.reads) { return .get(key: key) }
        tokens += 1
        let padding = String(repeating: ".", count: options.padding)
        switch random.below(10) {
        case 0: return .delete(key: key)
        case 1, 2:
            if let seen = clients[place].lastSeen[key] {
                return .compareAndSet(key: key, expected: seen, value: Bytes("v\(tokens)\(padding);"))
            }
            fallthrough
        // Few appends: a value that is never set anew makes every look at it long.
        case 3, 4, 5, 6, 7: return .set(key: key, value: Bytes("v\(tokens)\(padding);"))
        default: return .append(key: key, token: Bytes("+\(tokens);"))
        }
    }

    private func attempt(_ place: Int) {
        guard let pending = clients[place].pending, !pending.isAsking else { return }
        // An attempt that follows another goes elsewhere.
        if pending.attempts > 0 || random.chance(2_000) || !mayAsk(clients[place].node) {
            let old = clients[place].node
            clients[place].node = pickNode()
            if pending.once != nil, pending.attempts > 0, clients[place].node != old {
                world.marks.reach(.retriedElsewhere)
            }
        }
        clients[place].attempt &+= 1
        clients[place].pending?.attempts += 1
        clients[place].pending?.isAsking = true
        let attempt = clients[place].attempt
        world.submit(
            Request(
                client: place, attempt: attempt, node: clients[place].node, operation: pending.operation,
                once: pending.once))
        world.plan(.clientTimeout(client: Int32(place), attempt: attempt), after: patience(after: pending.attempts))
    }

    /// Doubles with each attempt: what is slow must not be buried under repetitions.
    private func patience(after attempts: Int) -> UInt64 {
        let patience = world.options.workload.patience
        return max(patience, min(patience << UInt64(min(attempts, 5)), 20 * world.options.core.electionTimeout))
    }

    /// Whoever waits asks again at once.
    func hurry() {
        for place in clients.indices where clients[place].pending?.isAsking ?? false {
            timedOut(place, attempt: clients[place].attempt)
        }
    }

    private func mayAsk(_ node: Int) -> Bool { preferred.isEmpty || preferred.contains(node) }

    private func pickNode() -> Int { preferred.isEmpty ? random.below(world.nodes.count) : random.pick(preferred) }

    // MARK: Answers

    func take(_ reply: Reply) {
        let place = reply.client
        // Also what nobody waits for any more must be what was answered before.
        if let once = reply.once, case .outcome(let outcome) = reply.content { judge(once, outcome) }
        guard reply.attempt != Self.ghost, reply.attempt == clients[place].attempt, clients[place].pending != nil
        else { return }
        switch reply.content {
        case .refused: again(place, isRefused: true)
        case .outcome(let outcome): finish(place, outcome)
        }
    }

    private func judge(_ once: SessionRequest, _ outcome: Outcome) {
        switch outcome {
        case .failure(.noSession): break
        case .failure(.staleRequest): world.marks.reach(.staleRequest)
        default: world.judge.answered(once, outcome)
        }
    }

    func timedOut(_ place: Int, attempt: UInt32) {
        guard attempt == clients[place].attempt, clients[place].pending != nil else { return }
        again(place, isRefused: false)
    }

    /// The attempt did not succeed. A request of a session, and whatever certainly had no effect so far, is sent again.
    private func again(_ place: Int, isRefused: Bool) {
        guard var pending = clients[place].pending else { return }
        pending.isAsking = false
        if !isRefused { pending.isRefusedSoFar = false }
        clients[place].pending = pending
        let mayRepeat = pending.operation.isRead || pending.once != nil || pending.isRefusedSoFar
        // In the end an answer is wanted, however long it takes.
        if mayRepeat, pending.attempts < Self.maxAttempts || !preferred.isEmpty {
            clients[place].attempt &+= 1
            world.plan(.client(Int32(place)), after: backoff())
        } else {
            giveUp(place, pending)
        }
    }

    private func backoff() -> UInt64 { random.duration(mean: world.options.core.heartbeatInterval) }

    private func giveUp(_ place: Int, _ pending: Client.Pending) {
        if let record = pending.record, pending.isRefusedSoFar { history.end(record, .refused, at: world.now) }
        rest(place)
    }

    private func finish(_ place: Int, _ outcome: Outcome) {
        guard let pending = clients[place].pending else { return }
        if let once = pending.once {
            switch outcome {
            case .failure(.noSession):
                world.marks.reach(.sessionUnknown)
                clients[place].session = nil
                return giveUp(place, pending)
            case .failure(.staleRequest):
                return giveUp(place, pending)
            default:
                noteAnswered(place, once.sequence)
                if random.chance(300) { sendGhost(place, once.session) }
                if pending.attempts > 1 { world.marks.reach(.answeredFromTable) }
            }
        }
        note(place, pending, outcome)
        rest(place)
    }

    // MARK: Ghosts

    /// The attempt of a request that nobody waits for.
    private static let ghost = UInt32.max
    /// More than the window: some ghosts are stale, at whatever distance, some are not.
    private static let rememberedAnswers = 6

    private func noteAnswered(_ place: Int, _ sequence: UInt64) {
        clients[place].answered.append(sequence)
        if clients[place].answered.count > Self.rememberedAnswers { clients[place].answered.removeFirst() }
    }

    /// A request that was answered comes once more, with another command: if it took effect, a read would find a value
    /// that nobody has written; and if its reply is kept, it is the first one's.
    private func sendGhost(_ place: Int, _ session: SessionID) {
        let old = SessionRequest(session: session, sequence: random.pick(clients[place].answered))
        world.submit(
            Request(
                client: place, attempt: Self.ghost, node: pickNode(), operation: .set(key: 0, value: "ghost;"),
                once: old))
    }

    /// Writes that nobody waits for, to a key that nobody reads.
    func flood(_ node: Int, count: Int) {
        let padding = String(repeating: ".", count: world.options.workload.floodPadding)
        for number in 0..<count {
            world.submit(
                Request(
                    client: 0, attempt: Self.ghost, node: node,
                    operation: .set(key: world.options.workload.keys, value: Bytes("flood\(number)\(padding);")),
                    once: nil))
        }
    }

    /// A read whose answer nobody waits for.
    func look(_ node: Int) {
        world.submit(Request(client: 0, attempt: Self.ghost, node: node, operation: .get(key: 0), once: nil))
    }

    private func note(_ place: Int, _ pending: Client.Pending, _ outcome: Outcome) {
        switch pending.operation {
        case .openSession:
            guard case .value(let text) = outcome, let session = SessionID(text) else { return }
            world.marks.reach(.sessionOpened)
            clients[place].session = session
            clients[place].lastSequence = 0
            clients[place].skipped = nil
            clients[place].answered = []
        case .get(let key):
            let value: Bytes? = if case .value(let value) = outcome { value } else { nil }
            world.marks.reach(.readAnswered)
            if let value { world.judge.readFound(value, of: ClientOperation.name(of: key)) }
            clients[place].lastSeen[key] = value
            if let record = pending.record { history.end(record, .read(value), at: world.now) }
        case .set, .append, .delete, .compareAndSet:
            let integer: Int64? = if case .integer(let number) = outcome { number } else { nil }
            if let record = pending.record {
                history.end(record, .wrote(integer: integer, isNull: outcome == .null), at: world.now)
            }
        }
    }

    private func rest(_ place: Int) {
        clients[place].pending = nil
        clients[place].attempt &+= 1
        world.plan(.client(Int32(place)), after: random.duration(mean: world.options.workload.thinkMean))
    }
}
