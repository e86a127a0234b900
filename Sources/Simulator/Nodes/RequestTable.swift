import ByteCoding
import KeyValue
import Raft
import RaftStorage

/// What a node's clients, and other nodes for theirs, wait for.
struct RequestTable {
    /// Reads that share a token.
    struct ReadGroup {
        var token: ReadToken
        var index: LogIndex?
        var requests: [Request]
    }

    /// Signed segments of this node's clients that are not on their way yet.
    var segments: [(sequence: UInt64, bytes: Bytes)] = []
    var lastSequence: UInt64 = 0
    /// Who waits for the outcome of a segment, by its sequence.
    var waiting: [UInt64: Request] = [:]

    var forwards: [Forward] = []
    /// Forwards that were taken in `acceptedIn`: the network may deliver one twice.
    private var acceptedForwards: Set<Origin> = []
    private var acceptedIn = Term.zero

    /// The own segments in each proposal whose fate is open.
    var proposals: [ProposalToken: [UInt64]] = [:]
    var lastToken: UInt64 = 0

    var queuedReads: [Request] = []
    var readGroups: [ReadGroup] = []
    var lastRead: UInt64 = 0

    var fetches = Slab<FetchRequest>()

    /// Whether a leader of `term` takes the forward; each once.
    mutating func accepts(_ forward: Forward, in term: Term) -> Bool {
        if acceptedIn != term {
            acceptedIn = term
            acceptedForwards = []
        }
        return forward.term == term && acceptedForwards.insert(forward.origin).inserted
    }

    mutating func nextToken() -> ProposalToken {
        lastToken += 1
        return ProposalToken(lastToken)
    }
}

extension NodeProcess {
    // MARK: Writes

    func take(_ request: Request) {
        if request.operation.isRead {
            requests.queuedReads.append(request)
        } else {
            requests.lastSequence += 1
            let sequence = requests.lastSequence
            let origin = Origin(node: node.id.rawValue, incarnation: incarnation, sequence: sequence)
            requests.waiting[sequence] = request
            requests.segments.append((sequence, request.operation.segment(once: request.once).sign(origin)))
        }
        mindInbox()
    }

    /// As a leader into the log; else to the leader; else back to the client.
    func routeSegments(at now: MonotonicTime) {
        guard !requests.segments.isEmpty || !requests.forwards.isEmpty else { return }
        let (own, forwards) = (requests.segments, requests.forwards)
        requests.segments.removeAll(keepingCapacity: true)
        requests.forwards.removeAll(keepingCapacity: true)
        if core.role == .leader {
            let accepted = forwards.filter { requests.accepts($0, in: core.term) }
            propose(own, accepted, at: now)
        } else if let leader = core.leader, let to = world.place(of: leader) {
            for segment in own {
                let origin = Origin(node: node.id.rawValue, incarnation: incarnation, sequence: segment.sequence)
                let forward = Forward(origin: origin, term: core.term, segment: segment.bytes)
                world.send(Packet(from: place, to: to, content: .forward(forward)))
            }
        } else {
            for segment in own { refuse(segment.sequence, "no leader") }
        }
    }

    private func propose(
        _ own: [(sequence: UInt64, bytes: Bytes)], _ forwards: [Forward], at now: MonotonicTime
    ) {
        let wall = now.nanoseconds / Nanoseconds.perMillisecond
        stamp = max(stamp, wall)
        var proposals: [Proposal] = []
        // The own segments one by one, the others joined: both shapes of a block.
        for segment in own {
            let token = requests.nextToken()
            requests.proposals[token] = [segment.sequence]
            proposals.append(Proposal(token: token, payload: Block.encode(stamp: stamp, segments: [segment.bytes])))
        }
        if !forwards.isEmpty {
            let payload = Block.encode(stamp: stamp, segments: forwards.map(\.segment))
            proposals.append(Proposal(token: requests.nextToken(), payload: payload))
        }
        for proposal in proposals { world.judge.proposes(proposal.payload.count) }
        if !proposals.isEmpty { core.step(.proposed(proposals), at: now) }
        for origin in Set(forwards.map(\.origin.node)) { core.step(.commitAwaited(by: NodeID(origin)), at: now) }
    }

    func refused(_ token: ProposalToken, _ refusal: ProposalRefusal) {
        world.marks.note(refusal)
        for sequence in requests.proposals.removeValue(forKey: token) ?? [] { refuse(sequence, "\(refusal)") }
    }

    func resolved(_ token: ProposalToken, _ outcome: ProposalOutcome) {
        world.judge.resolved(token, of: incarnation, outcome)
        let sequences = requests.proposals.removeValue(forKey: token) ?? []
        switch outcome {
        // The answer comes with the apply stream.
        case .committed: break
        case .lost:
            world.marks.reach(.proposalLost)
            for sequence in sequences { refuse(sequence, "lost") }
        // A snapshot took its place: nobody can say.
        case .unknown: world.marks.reach(.proposalUnknown)
        }
    }

    private func refuse(_ sequence: UInt64, _ why: String) {
        guard let request = requests.waiting.removeValue(forKey: sequence) else { return }
        world.say { "n\(node.id) refuses client \(request.client): \(request.operation), \(why)" }
        world.reply(Reply(client: request.client, attempt: request.attempt, content: .refused), from: place)
    }

    func settled(_ origin: Origin, _ outcomes: [Outcome]) {
        guard let request = requests.waiting.removeValue(forKey: origin.sequence), let outcome = outcomes.first else {
            return
        }
        let reply = Reply(
            client: request.client, attempt: request.attempt, content: .outcome(outcome), once: request.once)
        world.reply(reply, from: place)
    }

    // MARK: Reads

    func askForReads(at now: MonotonicTime) {
        guard !requests.queuedReads.isEmpty else { return }
        let queued = requests.queuedReads
        requests.queuedReads = []
        if core.readsAreLocal {
            world.marks.reach(.localRead)
            world.judge.readLocally(at: core.appliedIndex, on: place)
            for request in queued where node.process === self { answerRead(request) }
            return
        }
        requests.lastRead += 1
        let token = ReadToken(incarnation: incarnation, count: requests.lastRead)
        world.judge.readAsked(token)
        requests.readGroups.append(RequestTable.ReadGroup(token: token, requests: queued))
        core.step(.readIndexRequested(token), at: now)
    }

    func readReady(_ token: ReadToken, _ index: LogIndex) {
        world.judge.readAnswered(token, index: index, on: place)
        guard let group = requests.readGroups.firstIndex(where: { $0.token == token }) else { return }
        requests.readGroups[group].index = index
    }

    func readFailed(_ token: ReadToken) {
        world.judge.readAnswered(token, index: nil, on: place)
        world.marks.reach(.readFailed)
        guard let group = requests.readGroups.firstIndex(where: { $0.token == token }) else { return }
        for request in requests.readGroups.remove(at: group).requests {
            world.reply(Reply(client: request.client, attempt: request.attempt, content: .refused), from: place)
        }
    }

    /// Those whose index the state has reached.
    func answerReads() {
        guard !requests.readGroups.isEmpty else { return }
        let applied = view.applied
        let ready = requests.readGroups.filter { $0.index.map { $0 <= applied } ?? false }
        guard !ready.isEmpty else { return }
        requests.readGroups.removeAll { $0.index.map { $0 <= applied } ?? false }
        for group in ready {
            for request in group.requests where node.process === self { answerRead(request) }
        }
    }

    private func answerRead(_ request: Request) {
        guard case .get(let key) = request.operation else { return }
        let command = ReadCommand.get(ClientOperation.name(of: key))
        do throws(StateStoreError) {
            let outcome = try command.run(on: store.state, group: world.group.rawValue, tier: .all)
            world.reply(
                Reply(client: request.client, attempt: request.attempt, content: .outcome(outcome)), from: place)
        } catch {
            fail(error)
        }
    }
}
