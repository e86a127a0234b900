/// What one node tells another about one group. Messages may be lost, repeated, delayed and reordered.
public struct Message: Hashable, Sendable {
    public var group: GroupID
    public var from: NodeID
    public var to: NodeID
    /// The sender's term; for PreVote the term that an election would have (Raft thesis, section 9.6): requests and
    /// grants carry the term asked for, refusals the refuser's own.
    public var term: Term
    /// False from a node that may have forgotten votes and acknowledgements (`RestoredState.mayVote`). Its answers tell a
    /// leader what to send next, and count for nothing else: what they acknowledge may break a promise it has forgotten.
    public var mayVote: Bool
    public var body: Body

    public init(group: GroupID, from: NodeID, to: NodeID, term: Term, mayVote: Bool = true, body: Body) {
        self.group = group
        self.from = from
        self.to = to
        self.term = term
        self.mayVote = mayVote
        self.body = body
    }

    public enum Body: Hashable, Sendable {
        /// Would you vote for me? Nobody changes anything by answering.
        case preVoteRequest(last: EntryID)
        case preVoteResponse(granted: Bool)
        /// `isTransfer`: the leader itself asked for this election (`timeoutNow`), so nobody protects its leadership.
        case voteRequest(last: EntryID, isTransfer: Bool)
        case voteResponse(granted: Bool)
        /// Entries that follow `previous`, contiguous, possibly none; `commit` is the leader's commit index.
        case appendRequest(previous: EntryID, entries: [Entry], commit: LogIndex)
        /// Everything up to `matched` is durable here and equals the leader's log.
        case appendAccepted(matched: LogIndex)
        /// No entry `previous` here. `hint` is the last entry of this node's log that could match: the largest index
        /// <= `previous.index` whose term here is <= `previous.term`.
        case appendRejected(previous: LogIndex, hint: EntryID)
        /// `commit` is never above what the follower is known to hold. `round` confirms leadership for reads.
        /// Up to `truncatable` every log may be cut: all members have it, or lag so far that they get a snapshot.
        case heartbeat(commit: LogIndex, round: UInt64, truncatable: LogIndex)
        case heartbeatResponse(round: UInt64)
        /// A follower asks for an index at which its reads are linearizable (Raft thesis, section 6.4).
        case readIndexRequest(ReadToken)
        /// `nil`: this leader cannot say; ask again.
        case readIndexResponse(ReadToken, index: LogIndex?)
        /// The leader hands over: campaign now, without PreVote (Raft thesis, section 3.10).
        case timeoutNow
        /// Everything up to this entry is committed, whoever says so and in whatever term. Goes with the refusal of a vote
        /// for an older log: the candidate may lack nothing but this to know that it needs other votes, or none.
        case commitNotice(EntryID)
    }
}

/// Names a group of reads that wait for one read index; unique on its node for ever: (incarnation of the process, count).
/// The highest incarnation is the core's own.
public struct ReadToken: Hashable, Sendable {
    public var incarnation: UInt64
    public var count: UInt64
    public init(incarnation: UInt64, count: UInt64) {
        self.incarnation = incarnation
        self.count = count
    }
}
