/// One member of one group, as a value: give it inputs and the time, drain the effects, carry them out.
///
/// Raft as in Ongaro and Ousterhout's paper and Ongaro's thesis, shaped like etcd's: no I/O, no clock, no threads, no
/// chance but the seed. The same inputs give the same effects; a copy is a fork of the whole state.
///
/// ```
/// core.step(input, at: now)        // as often as there is something to tell
/// for effect in core.drainEffects() { ... }
/// // at the latest at core.nextDeadline: core.step(.timeAdvanced, at: now)
/// ```
/// `step` only changes state; what several steps have in common leaves with the next drain: one `persist`, one append
/// for each follower, one round of heartbeats for all reads. So step everything that is queued, then drain once.
/// Timers fire in `.timeAdvanced` only: give what was received first, and a pause of the process costs no election.
///
/// The parts, by file: elections (`+Election`), handing leadership over (`+Transfer`), the leader's side of replication
/// (`+Replication`), the follower's (`+Following`), proposals, reads and leases (`+Reads`), changes of the membership
/// (`+Membership`), snapshots (`+Snapshots`), durability (`+Persistence`), sick disks (`+DiskHealth`), cutting the log
/// (`+Compaction`), checks (`+Invariants`).
public struct RaftCore: Sendable {
    let configuration: Configuration
    /// Who belongs to the group.
    public internal(set) var membership: Membership
    /// The time of the latest step; never goes back.
    var now: MonotonicTime
    var random: SplitMix64

    var hardState: HardState
    /// What this node is at present.
    public internal(set) var role = RoleKind.follower
    /// The leader of this term, as far as known.
    public internal(set) var leader: NodeID?
    /// Who led this term when we last heard: unlike `leader` not forgotten before the term ends.
    var leaderOfTerm: NodeID?
    var heardLeaderAt: MonotonicTime
    /// With leases: until then this node votes for nobody, unless the leader itself asks for an election. It promised that
    /// with its last answer to a leader, maybe before it stopped, and no news of later terms frees it.
    var leasePromiseEnd: MonotonicTime
    var election: Election
    /// Whether this node may vote and campaign; see `RestoredState.mayVote` and `liftVotingBan`.
    public internal(set) var mayVote: Bool
    /// Ban on voting: what was asked of the leader since the start.
    var catchUp: CatchUpQuestion?

    var log: Log
    var persistence: PersistQueue
    /// No election before everything is applied that was known to be committed at the start: it may hold a change of
    /// the membership.
    let restoredCommit: LogIndex
    /// Everything up to here no log needs any more for replication: all members have it, or are so far behind that they
    /// get a snapshot. Never goes back.
    public internal(set) var truncatableIndex: LogIndex

    /// Everyone else, ascending by id. Its content means something on a leader only.
    var peers: [Progress]
    var leadership = Leadership()
    /// Follower: a snapshot that is being installed. Until it is, the log stands still and this node does not campaign.
    var installing: SnapshotMeta?
    /// See `Input.diskFull`.
    var isDiskFull = false
    var reads = ReadQueue()
    var proposals = OpenProposals()
    /// Entries that the shell was asked for and has not delivered; outlives a leadership.
    var openFetches: [FetchRequest] = []
    /// Leader: followers for whom a snapshot was asked for and not reported.
    var openSnapshots: [NodeID] = []

    var effects: [Effect] = []
    var announced: RoleChange?
    var watermarks: Watermarks
    var violation: InvariantViolation?
    private var isViolationReported = false

    /// Starts as a follower that has heard nothing yet. A sole voter campaigns at once.
    ///
    /// A state that cannot be (`RestoredState`'s rules do not hold) gives `Effect.violated` at the first drain.
    public init(configuration: Configuration, restored: RestoredState, now: MonotonicTime) {
        let verdict = Self.judge(restored)
        self.configuration = configuration
        self.membership = restored.membership
        self.now = now
        // Nodes that were given the same seed must not share their timeouts, nor draw the same ones a little later: so the
        // id is mixed, for the states of this generator that lie on one line are one stream.
        var mixer = SplitMix64(seed: configuration.node.rawValue)
        self.random = SplitMix64(seed: configuration.seed ^ mixer.next())
        self.hardState = restored.hardState
        self.heardLeaderAt = now
        self.election = Election()
        self.mayVote = restored.mayVote
        self.log = verdict.log
        self.persistence = PersistQueue(lastIndex: verdict.log.lastIndex)
        self.restoredCommit = verdict.log.commitIndex
        self.truncatableIndex = verdict.log.base.index
        self.peers = restored.membership.all.filter { $0 != configuration.node }.map {
            Progress(node: $0, nextIndex: verdict.log.lastIndex.next, configuration: configuration, now: now)
        }
        self.watermarks = Watermarks(hardState: restored.hardState, commit: verdict.log.commitIndex)
        self.violation = verdict.violation
        self.leasePromiseEnd =
            configuration.leaseReads && !restored.membership.isSoleVoter(configuration.node)
            ? now.advanced(by: configuration.electionTimeout) : .zero
        self.announced = RoleChange(role: .follower, term: hardState.term, leader: nil)
        resetElectionTimer()
        if isSoleVoter, violation == nil { campaignIfAllowed() }
    }

    /// Tells the core something. Cheap; what it leads to waits for `drainEffects`.
    ///
    /// - Parameter now: the time; one before that of an earlier step counts as that.
    public mutating func step(_ input: Input, at now: MonotonicTime) {
        guard violation == nil else { return }
        self.now = max(self.now, now)
        switch input {
        case .timeAdvanced: fireTimers()
        case .received(let message): receive(message)
        case .proposed(let proposals): propose(proposals)
        case .commitAwaited(let node): awaitCommit(of: log.lastIndex, by: node)
        case .readIndexRequested(let token): requestReadIndex(token)
        case .persisted(let ticket): persisted(ticket)
        case .applied(let index): applied(through: index)
        case .fetched(let request, let entries): fetched(request, entries)
        case .compacted(let id): compacted(through: id)
        case .unreachable(let node): unreachable(node)
        case .leaderLost(let node): leaderLost(node)
        case .votingAllowed: mayVote = true
        case .membershipChangeProposed(let token, let change): propose(change, token: token)
        case .transferRequested(let target): requestTransfer(to: target)
        case .snapshotReported(let node, let report): snapshotReported(report, by: node)
        case .snapshotReceived(let meta, let sender, let term): snapshotReceived(meta, from: sender, term: term)
        case .snapshotInstalled(let meta): snapshotInstalled(meta)
        case .diskFull(let isFull): diskIsFull(isFull)
        }
        checkInvariants()
    }

    /// What is to be done since the last drain; see `Effect` for the rules.
    ///
    /// At most one `persist`, and first; then what the steps caused, in their order; then what the drain itself sends
    /// and applies.
    public mutating func drainEffects() -> [Effect] {
        guard violation == nil else { return reportViolation() }
        var slice: EntrySlice?
        if let batch = persistence.takeBatch(
            group: configuration.group, hardState: hardState, log: log, now: now, slice: &slice)
        {
            effects.insert(.persist(batch), at: 0)
        }
        if role == .leader {
            startReadRoundIfWanted()
            flushAppends(known: &slice)
        }
        flushApply()
        guard violation == nil else { return reportViolation() }
        var drained: [Effect] = []
        swap(&drained, &effects)
        return drained
    }

    /// When `.timeAdvanced` is due at the latest.
    public var nextDeadline: MonotonicTime {
        guard violation == nil else { return .never }
        if role == .leader {
            return min(leadership.heartbeatDeadline, leadership.transfer?.deadline ?? .never)
        }
        return min(election.deadline, reads.firstForwardedDeadline)
    }

    private mutating func reportViolation() -> [Effect] {
        effects = []
        guard let violation, !isViolationReported else { return [] }
        isViolationReported = true
        return [.violated(violation)]
    }
}

// MARK: - What it is at present

extension RaftCore {
    /// The latest term that this node has seen; maybe not durable yet.
    public var term: Term { hardState.term }
    /// Everything up to here is committed, as far as this node knows.
    public var commitIndex: LogIndex { log.commitIndex }
    /// What the latest `Input.applied` said.
    public var appliedIndex: LogIndex { log.appliedIndex }
    /// The last entry's index, durable or not.
    public var lastIndex: LogIndex { log.lastIndex }
    /// Of the entry there, or of the snapshot that ends there; nil: cut off, or not written yet.
    public func term(at index: LogIndex) -> Term? { log.term(at: index) }
    /// Whether this node decides alone.
    public var isSoleVoter: Bool { membership.isSoleVoter(configuration.node) }
    /// On a leader: to whom it is handing over. Proposals are refused meanwhile.
    public var transferTarget: NodeID? { role == .leader ? leadership.transfer?.target : nil }
    /// On a leader: whether proposals of clients would be accepted now. (After one was, ask again.)
    public var acceptsProposals: Bool { refusal() == nil }
    /// On a leader: whether a quorum has it on disk that the membership of now counts; see `Effect.membershipSettled`.
    public var isMembershipSettled: Bool { role == .leader && log.commitIndex >= leadership.settlingIndex }
    /// On a leader: what its uncommitted proposals count against `Configuration.maxUncommittedBytes`. 0 elsewhere.
    public var uncommittedBytes: Int { role == .leader ? leadership.uncommittedBytes : 0 }

    /// Whether this node's applied state answers reads linearizably without asking anybody: it is alone, leads, and has
    /// applied an entry of its term, and with it everything that was ever acknowledged. (With a learner it is not enough
    /// to decide alone: the learner may have applied, and acknowledged to a client, what is not applied here yet. So may
    /// those who left.)
    public var readsAreLocal: Bool {
        role == .leader && membership.isAlone(configuration.node) && log.appliedIndex >= leadership.localReadsFrom
    }

    /// A picture for operators and tests; copies the peer table, so not for every step.
    public var status: Status {
        Status(
            node: configuration.node, role: role, term: hardState.term, vote: hardState.vote, leader: leader,
            membership: membership, firstIndex: log.base.index.next, lastIndex: log.lastIndex,
            durableIndex: persistence.durableIndex, commitIndex: log.commitIndex, appliedIndex: log.appliedIndex,
            truncatableIndex: truncatableIndex, transferTarget: transferTarget,
            peers: role == .leader ? peers.map(picture) : [])
    }

    private func picture(of peer: Progress) -> Status.Peer {
        Status.Peer(
            node: peer.node, mode: peer.mode, matchIndex: peer.matchIndex, nextIndex: peer.nextIndex,
            inflightMessages: peer.inflights.count, isLearner: !membership.isVoter(peer.node),
            isActive: isActive(peer))
    }
}

// MARK: - What all parts share

/// Ban on voting: how far a node must catch up before it counts again. Asked as for a read, so that the answer comes from
/// a leader that a quorum followed after the question.
struct CatchUpQuestion: Hashable, Sendable {
    /// The term of the leader that was asked.
    var term: Term
    /// New in each life of the process: no answer to an earlier one is taken for the answer to this.
    var token: ReadToken
    /// The answer.
    var target: LogIndex?
}

/// What only a leader has; meaningless on others.
struct Leadership: Hashable, Sendable {
    /// Index of the entry that opened the term.
    var firstIndex = LogIndex.zero
    /// Others may have applied everything up to here, and told clients so. (Entries before `firstIndex` included.)
    var localReadsFrom = LogIndex.zero
    var heartbeatDeadline = MonotonicTime.never
    /// `footprintBytes` of the proposals that are not committed, whoever took them.
    var uncommittedBytes = 0
    /// No change of the membership lies behind this index; a new one is taken only when it is applied.
    var pendingMembershipIndex = LogIndex.zero
    /// When this entry is committed, the membership that counts now is settled; see `Effect.membershipSettled`.
    var settlingIndex = LogIndex.zero
    /// Changes were applied that nobody was told to be settled.
    var hasNewsToSettle = false
    var transfer: Transfer?
    /// The leader asked somebody to campaign: from now on others may vote, whatever they have heard from this leader.
    var mayBeOvertaken = false
}

extension RaftCore {
    private mutating func fireTimers() {
        if role == .leader {
            giveUpOverdueTransfer()
            if now >= leadership.heartbeatDeadline { heartbeatIsDue() }
        } else {
            failOverdueReads()
            if now >= election.deadline { electionIsDue() }
        }
    }

    /// Sends at once: for what promises nothing that a crash could break.
    mutating func send(_ body: Message.Body, to node: NodeID, term: Term? = nil) {
        effects.append(.send(message(body, to: node, term: term)))
    }

    /// Sends when the present term and vote and the entries up to `index` are durable.
    mutating func promise(_ body: Message.Body, to node: NodeID, durable index: LogIndex = .zero) {
        let message = message(body, to: node)
        if persistence.hold(message, untilDurable: index) { return }
        checkPromise(message)
        effects.append(.send(message))
    }

    private func message(_ body: Message.Body, to node: NodeID, term: Term? = nil) -> Message {
        Message(
            group: configuration.group, from: configuration.node, to: node, term: term ?? hardState.term,
            mayVote: mayVote, body: body)
    }

    /// Tells the shell role, term and leader if they changed.
    mutating func announce() {
        let change = RoleChange(role: role, term: hardState.term, leader: leader)
        guard change != announced else { return }
        announced = change
        effects.append(.roleChanged(change))
    }

    /// Place of a node in `peers`; `nil` for this node and strangers. Groups are small: a search beats a table.
    func position(of node: NodeID) -> Int? { peers.firstIndex { $0.node == node } }
}
