import ByteCoding

@testable import Raft

/// A core with its disk and its state machine, in a world where time stands still.
///
/// No clock of an explored world moves. A timer fires when the search says so: its deadline is set to the present, and
/// the present is told. After each step everything that only depends on the clock or on chance is overwritten by a
/// constant, so that two states that differ in nothing else are one.
struct ExploredNode {
    static let present = MonotonicTime(nanoseconds: 1 << 60)

    var core: RaftCore
    private(set) var disk: ExploredDisk
    /// Under way to the disk, oldest first.
    private(set) var writes: [ExploredWrite] = []
    /// Given out to be applied, and not applied.
    private(set) var unapplied: [Entry] = []
    /// What the state machine holds now.
    private(set) var applied: SnapshotMeta
    /// What happened since the last look, in its order.
    private(set) var news: [News] = []
    private let configuration: Configuration
    private let isInstant: (syncs: Bool, applies: Bool)
    private let flaw: Flaw?

    /// What the world has to hear of.
    enum News {
        case sent(Message)
        /// A snapshot of what is applied now was asked for, in this term.
        case snapshotWanted(by: NodeID, SnapshotMeta, Term)
        /// The commit index moved, in this role, and with these members.
        case committed(through: LogIndex, RoleKind, Membership)
        case applied(Entry)
        case installed(SnapshotMeta)
        case truncated
        case membershipChanged(Membership)
        case accepted(ProposalToken, EntryID)
        case resolved(ProposalToken, ProposalOutcome)
        case readReady(ReadToken, LogIndex)
        case wrong(String)
    }

    init(_ restored: RestoredState, id: NodeID, space: SearchSpace) {
        var configuration = Configuration(group: group, node: id, seed: 0)
        space.configure(&configuration)
        self.configuration = configuration
        isInstant = (space.syncsAtOnce, space.appliesAtOnce)
        flaw = space.flaw
        disk = ExploredDisk(restored)
        applied = disk.state
        core = RaftCore(configuration: configuration, restored: restored, now: Self.present)
        standStill()
        settle()
    }

    var id: NodeID { configuration.node }

    mutating func takeNews() -> [News] {
        defer { news = [] }
        return news
    }

    // MARK: What may happen

    mutating func give(_ input: Input) {
        step(flaw?.bent(input, for: core) ?? input)
        settle()
    }

    /// The election or the heartbeat timer of this node.
    mutating func fireTimer() {
        if core.role == .leader {
            core.leadership.heartbeatDeadline = Self.present
            core.leadership.transfer?.deadline = Self.present
        } else {
            core.election.deadline = Self.present
            core.heardLeaderAt = .zero
        }
        give(.timeAdvanced)
    }

    /// Heard nobody for an election timeout, without the timer that would act on it.
    mutating func fallSilent() {
        core.heardLeaderAt = .zero
        for place in core.peers.indices { core.peers[place].heard(at: .zero) }
    }

    mutating func sync() {
        finishWrite()
        settle()
    }

    mutating func apply() {
        applyPage()
        settle()
    }

    mutating func askForRead(_ token: ReadToken) {
        if flaw == .readsWithoutRound, core.role == .leader {
            news.append(.readReady(token, core.commitIndex))
        } else {
            give(.readIndexRequested(token))
        }
    }

    /// Where the log may be cut; `nil`: nowhere.
    var cut: LogIndex? {
        let limit = min(core.truncatableIndex, core.appliedIndex)
        return limit > disk.base.index && writes.isEmpty ? limit : nil
    }

    mutating func compact(through index: LogIndex) {
        give(.compacted(disk.cut(through: index, applied: applied)))
    }

    /// Stops, with the oldest `count` of the writes under way on the disk and all others lost, and starts again.
    mutating func crash(keeping count: Int) {
        for write in writes.prefix(count) { disk.write(write) }
        if flaw == .voteNotPersisted { disk.hardState.vote = nil }
        writes = []
        unapplied = []
        applied = disk.state
        core = RaftCore(configuration: configuration, restored: disk.restored(), now: Self.present)
        standStill()
        settle()
    }

    // MARK: How it goes

    private mutating func step(_ input: Input) {
        let (commit, role, term) = (core.commitIndex, core.role, core.term)
        core.step(input, at: Self.present)
        flaw?.bend(&core, after: input)
        standStill()
        disk.mayVote = core.mayVote
        if core.commitIndex > commit {
            // A leader that commits what it was waiting for to leave has left in the same step.
            let author = role == .leader && core.term == term ? role : core.role
            news.append(.committed(through: core.commitIndex, author, core.membership))
        }
    }

    /// Overwrites what depends on the clock and on chance alone.
    private mutating func standStill() {
        core.random = SplitMix64(seed: 0)
        core.election.timeout = configuration.electionTimeout
        core.election.deadline = .never
        core.leadership.heartbeatDeadline = .never
        if core.leader == nil { core.heardLeaderAt = .zero }
    }

    private mutating func settle() {
        var effects = core.drainEffects()
        while !effects.isEmpty {
            for effect in effects { carryOut(effect) }
            if isInstant.syncs { while !writes.isEmpty { finishWrite() } }
            if isInstant.applies { while !unapplied.isEmpty { applyPage() } }
            effects = core.drainEffects()
        }
        flaw?.leak(core) { news.append(.sent($0)) }
    }

    private mutating func finishWrite() {
        let write = writes.removeFirst()
        // A snapshot takes the place of a state that has taken everything before.
        if case .install = write { while !unapplied.isEmpty { applyPage() } }
        disk.write(write)
        switch write {
        case .batch(let batch): step(.persisted(batch.ticket))
        case .install(let meta):
            applied = meta
            news.append(.installed(meta))
            step(.snapshotInstalled(meta))
        }
    }

    private mutating func applyPage() {
        for entry in unapplied {
            applied.id = entry.id
            applied.membership = applied.membership.after(entry)
            news.append(.applied(entry))
        }
        unapplied = []
        step(.applied(applied.index))
    }

    private mutating func carryOut(_ effect: Effect) {
        switch effect {
        case .persist(var batch):
            if flaw == .commitNotStored { batch.commit = .zero }
            writes.append(.batch(batch))
            if batch.truncateFrom != nil { news.append(.truncated) }
        case .send(let message): news.append(.sent(message))
        case .apply(let entries): unapplied.append(contentsOf: entries)
        case .fetch(let request): core.step(.fetched(request, entries: read(request)), at: Self.present)
        case .sendSnapshot(let node): news.append(.snapshotWanted(by: node, claim(of: applied), core.term))
        case .installSnapshot(let meta): writes.append(.install(meta))
        case .proposalAccepted(let token, let id): news.append(.accepted(token, id))
        case .proposalResolved(let token, let outcome): news.append(.resolved(token, outcome))
        case .readReady(let token, let index): news.append(.readReady(token, index))
        case .membershipChanged(let membership): news.append(.membershipChanged(membership))
        case .violated(let violation): news.append(.wrong("\(violation)"))
        case .peerMisbehaved(let peer, let what): news.append(.wrong("misbehaviour of node \(peer): \(what)"))
        case .proposalRefused, .readFailed, .roleChanged, .discardSnapshot, .learnerCaughtUp, .transferEnded,
            .membershipSettled:
            break
        }
    }

    /// What a snapshot of this state says of itself.
    private func claim(of applied: SnapshotMeta) -> SnapshotMeta {
        guard flaw == .snapshotClaimsMore else { return applied }
        let id = EntryID(term: applied.id.term, index: applied.index.next)
        return SnapshotMeta(id: id, membership: applied.membership)
    }

    private func read(_ request: FetchRequest) -> [Entry] {
        var found: [Entry] = []
        var index = request.from
        while index <= request.through, let entry = disk[index] {
            found.append(entry)
            index = index.next
        }
        return found
    }
}

extension Membership {
    /// What the state machine makes of an entry: a change that does not fit is without effect.
    func after(_ entry: Entry) -> Membership {
        guard entry.kind == .membership, let change = try? MembershipChange(decoding: entry.payload) else {
            return self
        }
        return (try? applying(change)) ?? self
    }
}
