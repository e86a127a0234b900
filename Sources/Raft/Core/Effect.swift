/// What the core wants done. The shell steps everything that is queued, then drains the effects of all once, and
///
/// 1. MUST carry out all `persist` effects in the order given, atomically each, and report each ticket only when it is
///    durable; it may merge several into one write.
/// 2. MUST apply `apply` effects in the order given. It may do so before or after later effects.
/// 3. MAY send, drop, delay, repeat or reorder `send` effects. The core holds back every message whose promise is not
///    durable yet: what is given out may leave at once, beside a `persist` that is still under way (Raft thesis 10.2.1).
/// 4. MUST stop the node at `violated`, before anything else is done.
public enum Effect: Hashable, Sendable {
    case persist(PersistBatch)
    case send(Message)
    /// Committed entries, contiguous with those of the effect before.
    case apply([Entry])
    /// Entries that a follower needs and that are not in memory any more: read them, answer with `Input.fetched`.
    /// At most one request for each follower is open at a time.
    case fetch(FetchRequest)
    case proposalAccepted(ProposalToken, EntryID)
    case proposalRefused(ProposalToken, ProposalRefusal)
    case proposalResolved(ProposalToken, ProposalOutcome)
    /// Reads under this token see everything that was acknowledged before they were asked for, once `index` is applied.
    case readReady(ReadToken, LogIndex)
    /// No read index now: no leader, or leadership lost. Ask again.
    case readFailed(ReadToken)
    case roleChanged(RoleChange)
    /// The follower needs entries that are cut off: send it a snapshot of what is applied here, over a connection of its
    /// own, and report with `Input.snapshotReported`. At most one request for each follower is open at a time in one
    /// leadership; a later one of this node may ask again while the transfer still runs: go on with that.
    case sendSnapshot(to: NodeID)
    /// Replace state and log by this snapshot, after every `persist` and `apply` before this effect is carried out:
    /// in one atomic, durable step the state becomes the snapshot's, the log empty with `meta.id` cut off, the commit
    /// index `meta.index`; the hard state stays. Then tell `Input.snapshotInstalled`. Until then no `apply` and no
    /// entries to persist will come (but a hard state or a commit index may).
    case installSnapshot(SnapshotMeta)
    /// A snapshot that was received is of no use: delete it.
    case discardSnapshot(SnapshotMeta)
    /// A change of the membership took effect, here and now. (Nodes that left are told nothing more.)
    case membershipChanged(Membership)
    /// On a leader: a quorum has it on disk that the changes up to this index are committed. Whoever was removed by them may be
    /// stopped and destroyed from now on, and operators may be told so. A leader that ends before it can say so leaves it
    /// to the next one: `RaftCore.isMembershipSettled`.
    case membershipSettled(through: LogIndex)
    /// On a leader, once for each learner: it keeps up with the log; making it a voter costs no availability.
    case learnerCaughtUp(NodeID)
    case transferEnded(TransferOutcome)
    /// The follower refused an entry whose checksum is wrong, or sent nonsense: the shell logs and drops the link.
    case peerMisbehaved(NodeID, String)
    case violated(InvariantViolation)
}

/// Orders persistence: tickets of a core count up from 1.
public struct PersistTicket: Hashable, Comparable, Sendable {
    public var rawValue: UInt64
    public init(_ value: UInt64) { rawValue = value }
    public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// What must reach the disk as one unit.
public struct PersistBatch: Hashable, Sendable {
    public var group: GroupID
    public var ticket: PersistTicket
    /// Present when term or vote changed.
    public var hardState: HardState?
    /// Entries from this index on are removed first. Never at or below the commit index.
    public var truncateFrom: LogIndex?
    /// Contiguous; the first follows what is left.
    public var entries: [Entry]
    /// The commit index known with the entries; written with them always, alone when a change of the membership took
    /// effect.
    public var commit: LogIndex

    public init(
        group: GroupID, ticket: PersistTicket, hardState: HardState? = nil, truncateFrom: LogIndex? = nil,
        entries: [Entry] = [], commit: LogIndex
    ) {
        self.group = group
        self.ticket = ticket
        self.hardState = hardState
        self.truncateFrom = truncateFrom
        self.entries = entries
        self.commit = commit
    }
}

/// Entries to read from the store for a follower.
public struct FetchRequest: Hashable, Sendable {
    public var group: GroupID
    public var follower: NodeID
    public var from: LogIndex
    public var through: LogIndex
    /// Stop before the entry that would exceed this many payload bytes; the first entry always comes.
    public var maxBytes: Int

    public init(group: GroupID, follower: NodeID, from: LogIndex, through: LogIndex, maxBytes: Int) {
        self.group = group
        self.follower = follower
        self.from = from
        self.through = through
        self.maxBytes = maxBytes
    }
}

/// How a transfer of leadership ended.
public enum TransferOutcome: Hashable, Sendable {
    /// This node does not lead any more: most probably the target does, or soon will.
    case steppedDown
    /// It goes on as leader: the target did not get there within an election timeout.
    case timedOut(target: NodeID)
    /// It was not begun, or given up. One sentence says why.
    case refused(String)
}

/// Who this node is now and whom it follows.
public struct RoleChange: Hashable, Sendable {
    public var role: RoleKind
    public var term: Term
    public var leader: NodeID?
    public init(role: RoleKind, term: Term, leader: NodeID?) {
        self.role = role
        self.term = term
        self.leader = leader
    }
}

/// What a node is in its term (Raft paper, figure 4; the pre-candidate: Raft thesis, section 9.6).
public enum RoleKind: String, Hashable, Sendable {
    case follower
    case preCandidate = "pre-candidate"
    case candidate
    case leader
}

/// A rule of Raft that does not hold any more on this node: a bug or rotten memory. Crash before corrupt.
public struct InvariantViolation: Hashable, Error, Sendable, CustomStringConvertible {
    /// Short name of the rule, e.g. `committed-entry-truncated`.
    public var rule: String
    /// The values that show it.
    public var detail: String
    public init(rule: String, detail: String) {
        self.rule = rule
        self.detail = detail
    }
    public var description: String { "\(rule): \(detail)" }
}
