import ByteCoding
import Raft
import Testing

/// A core with a disk and a state machine that do what the test says; by default at once.
struct TestNode {
    private(set) var core: RaftCore
    let configuration: Configuration
    var now: MonotonicTime
    private(set) var disk: TestDisk
    /// Batches that were given out and are not durable yet.
    private(set) var unsynced: [PersistBatch] = []
    /// Entries that were given out and are not applied yet.
    private(set) var unapplied: [Entry] = []
    /// What the state machine has applied since it was made.
    private(set) var applied: [Entry] = []
    private(set) var openFetches: [FetchRequest] = []
    /// Messages that left and were not taken.
    private(set) var outbox: [Message] = []
    /// Every effect that is about something else.
    private(set) var events: [Effect] = []

    var syncsAtOnce = true
    var appliesAtOnce = true
    var fetchesAtOnce = true

    init(
        _ node: NodeID = 1, restored: RestoredState = RestoredState(membership: Membership(voters: [1, 2, 3])),
        disk: TestDisk? = nil, now: MonotonicTime = .zero, syncsAtOnce: Bool = true,
        configure: (inout Configuration) -> Void = { _ in }
    ) {
        var configuration = Configuration(group: group, node: node, seed: 7)
        configure(&configuration)
        self.configuration = configuration
        self.now = now
        self.core = RaftCore(configuration: configuration, restored: restored, now: now)
        self.disk = disk ?? TestDisk(restored, appliedEntries: [])
        self.syncsAtOnce = syncsAtOnce
        if restored.applied > restored.truncated.index, disk == nil {
            preconditionFailure("a disk is needed for applied entries")
        }
        settle()
    }

    var id: NodeID { configuration.node }
    var status: Status { core.status }

    // MARK: Inputs

    /// Steps all inputs, then drains once.
    mutating func give(_ inputs: [Input]) {
        for input in inputs { core.step(input, at: now) }
        settle()
    }

    mutating func give(_ inputs: Input...) { give(inputs) }

    mutating func receive(from node: NodeID, term: Term, _ body: Message.Body) {
        give(.received(Message(group: group, from: node, to: id, term: term, body: body)))
    }

    mutating func propose(_ payloads: Bytes..., token: UInt64 = 1) {
        give(
            .proposed(
                payloads.enumerated().map {
                    Proposal(token: ProposalToken(token + UInt64($0.offset)), payload: $0.element)
                }))
    }

    /// Lets time pass and tells it.
    mutating func wait(_ duration: Duration) {
        now = now.advanced(by: duration)
        give(.timeAdvanced)
    }

    /// Lets time pass until the election timeout fires.
    mutating func timeOut() {
        now = max(now, core.nextDeadline)
        give(.timeAdvanced)
    }

    // MARK: The disk and the state machine

    /// Makes the next batches durable: all, or as many as given; reports the last one's ticket.
    mutating func sync(_ count: Int = .max) {
        let done = unsynced.prefix(count)
        guard let last = done.last else { return }
        for batch in done { disk.write(batch) }
        unsynced.removeFirst(done.count)
        give(.persisted(last.ticket))
    }

    /// The power fails: some of the next batches have reached the disk, but nobody hears of it.
    mutating func tearOff(keeping count: Int) {
        for batch in unsynced.prefix(count) { disk.write(batch) }
        unsynced = []
    }

    mutating func applyAll() {
        guard let last = unapplied.last else { return }
        applied.append(contentsOf: unapplied)
        unapplied = []
        give(.applied(last.index))
    }

    mutating func answerFetches() {
        let requests = openFetches
        openFetches = []
        for request in requests { give(.fetched(request, entries: disk.read(request))) }
    }

    mutating func compact(through index: LogIndex) { give(.compacted(disk.cut(through: index))) }

    // MARK: What came out

    mutating func takeMessages() -> [Message] {
        defer { outbox = [] }
        return outbox
    }

    /// What was said since the last question.
    mutating func said() -> [Said] { takeMessages().map(Said.init) }

    mutating func takeEvents() -> [Effect] {
        defer { events = [] }
        return events
    }

    var violation: InvariantViolation? {
        for case .violated(let violation) in events { return violation }
        return nil
    }

    mutating func takeMisbehaviour() -> [NodeID] {
        takeEvents().compactMap { if case .peerMisbehaved(let node, _) = $0 { node } else { nil } }
    }

    private mutating func settle() {
        var effects = core.drainEffects()
        while !effects.isEmpty {
            for effect in effects { carryOut(effect) }
            if syncsAtOnce, let last = unsynced.last {
                for batch in unsynced { disk.write(batch) }
                unsynced = []
                core.step(.persisted(last.ticket), at: now)
            }
            if appliesAtOnce, let last = unapplied.last {
                applied.append(contentsOf: unapplied)
                unapplied = []
                core.step(.applied(last.index), at: now)
            }
            if fetchesAtOnce {
                for request in openFetches { core.step(.fetched(request, entries: disk.read(request)), at: now) }
                openFetches = []
            }
            effects = core.drainEffects()
        }
    }

    private mutating func carryOut(_ effect: Effect) {
        switch effect {
        case .persist(let batch): unsynced.append(batch)
        case .send(let message): outbox.append(message)
        case .apply(let entries):
            let last = unapplied.last?.index ?? core.appliedIndex
            #expect(entries.first?.index == last.next, "applied out of order")
            #expect(entries.last!.index <= disk.lastIndex, "applied before it was durable")
            unapplied.append(contentsOf: entries)
        case .fetch(let request):
            #expect(!openFetches.contains { $0.follower == request.follower })
            openFetches.append(request)
        case .proposalAccepted, .proposalRefused, .proposalResolved, .readReady, .readFailed, .roleChanged,
            .snapshotNeeded, .peerMisbehaved, .violated:
            events.append(effect)
        }
    }
}

// MARK: - Shortcuts

extension TestNode {
    /// A node of `[1, 2, 3]` (or others) that has just won an election in the term after its log's; nothing but that
    /// election has happened, and what it said is taken.
    static func leader(
        restored: RestoredState = RestoredState(membership: Membership(voters: [1, 2, 3])), syncsAtOnce: Bool = true,
        configure: (inout Configuration) -> Void = { _ in }
    ) -> TestNode {
        var node = TestNode(1, restored: restored, configure: configure)
        node.becomeLeader()
        node.syncsAtOnce = syncsAtOnce
        _ = node.takeMessages()
        _ = node.takeEvents()
        return node
    }

    /// Wins an election with the votes of all others.
    mutating func becomeLeader() {
        timeOut()
        let others = core.membership.voters.filter { $0 != id }
        if configuration.preVote {
            for other in others where core.role == .preCandidate {
                receive(from: other, term: core.term.next, .preVoteResponse(granted: true))
            }
        }
        for other in others where core.role == .candidate {
            receive(from: other, term: core.term, .voteResponse(granted: true))
        }
        #expect(core.role == .leader)
    }

    mutating func follow(_ leader: NodeID, term: Term) {
        receive(from: leader, term: term, .heartbeat(commit: 0, round: 0, truncatable: 0))
        _ = takeMessages()
    }

    var proposalEvents: [String] {
        events.compactMap {
            switch $0 {
            case .proposalAccepted(let token, let id): "accepted \(token.rawValue) \(id)"
            case .proposalRefused(let token, let refusal): "refused \(token.rawValue) \(refusal)"
            case .proposalResolved(let token, .committed(let id)): "committed \(token.rawValue) \(id)"
            case .proposalResolved(let token, .lost): "lost \(token.rawValue)"
            default: nil
            }
        }
    }

    var readEvents: [String] {
        events.compactMap {
            switch $0 {
            case .readReady(let token, let index): "ready \(token.count) at \(index)"
            case .readFailed(let token): "failed \(token.count)"
            default: nil
            }
        }
    }

    var roleChanges: [RoleChange] {
        events.compactMap { if case .roleChanged(let change) = $0 { change } else { nil } }
    }
}

func read(_ count: UInt64) -> ReadToken { ReadToken(incarnation: 1, count: count) }
