/// Settings of one group's core on one node. Local: never replicated, may differ between nodes.
public struct Configuration: Hashable, Sendable {
    public var group: GroupID
    public var node: NodeID
    /// A follower that hears nothing for this long, plus up to as much again at random, starts an election.
    /// Default 300 ms (so 300-600 ms): several heartbeats and a slow fsync must fit in.
    public var electionTimeout: Duration
    /// How often a leader shows that it is alive. Default 50 ms.
    public var heartbeatInterval: Duration
    /// Ask whether an election could be won before raising the term (Raft thesis, section 9.6). Default true.
    public var preVote: Bool
    /// A leader that does not hear from a majority for an election timeout steps down, and a node that heard from a
    /// leader within one refuses to vote. Default true.
    public var checkQuorum: Bool
    /// Entries in one append message: stop before exceeding this many bytes; one entry always goes. Default 256 KiB.
    public var maxAppendBytes: Int
    /// Append messages under way to one follower. Default 64.
    public var maxInflightMessages: Int
    /// Bytes of entries under way to one follower; soft by one message. Default 8 MiB.
    public var maxInflightBytes: Int
    /// Proposals are refused while this many bytes wait for commit; the first is always admitted. Default 64 MiB.
    public var maxUncommittedBytes: Int
    /// While more than this many bytes are committed here and not applied, a leader refuses proposals and a follower
    /// takes no entries, so that a state machine that cannot keep up does not fill the memory. To within half a
    /// megabyte. Default 256 MiB.
    public var maxUnappliedBytes: Int
    /// One `apply` effect: stop before exceeding this many bytes; one entry always goes. Default 4 MiB.
    public var maxApplyBytes: Int
    /// Entries that are durable and applied stay in memory for slower followers up to this size. Default 64 MiB.
    public var entryCacheBytes: Int
    /// Tell a follower what is committed with the next entries or heartbeat, and of itself only where somebody waits for
    /// it (`Input.commitAwaited`, reads, changes of the membership): two messages less for each follower and write when
    /// there is one at a time. Default false.
    public var defersCommitNotices: Bool
    /// Answer reads from a lease, without a round of heartbeats (Raft thesis, section 6.4.1). Needs `checkQuorum`, and
    /// clocks whose rates differ by no more than `maxClockDriftPercent`; must be set alike on all nodes,
    /// and so must `electionTimeout` be: turn leases off before either is changed node by node. Default false.
    public var leaseReads: Bool
    /// How much faster or slower than real time any node's clock may run. Default 10.
    public var maxClockDriftPercent: Int
    /// A leader whose disk has not finished a write for this long steps down, if a majority without it is durably
    /// ahead. Default 2 s.
    public var diskStallLimit: Duration
    /// How far behind the log's end a member may be and still find the entries that it lacks in the log, in entries;
    /// one that is further behind gets a snapshot. Default 1,000,000.
    public var maxRetainedEntries: Int
    /// The same in bytes. Default 1 GiB.
    public var maxRetainedBytes: Int
    /// Makes election timeouts differ; the only source of chance in the core.
    public var seed: UInt64

    public init(
        group: GroupID, node: NodeID, electionTimeout: Duration = .milliseconds(300),
        heartbeatInterval: Duration = .milliseconds(50), preVote: Bool = true, checkQuorum: Bool = true,
        maxAppendBytes: Int = 256 << 10, maxInflightMessages: Int = 64, maxInflightBytes: Int = 8 << 20,
        maxUncommittedBytes: Int = 64 << 20, maxUnappliedBytes: Int = 256 << 20, maxApplyBytes: Int = 4 << 20,
        entryCacheBytes: Int = 64 << 20, defersCommitNotices: Bool = false,
        leaseReads: Bool = false, maxClockDriftPercent: Int = 10, diskStallLimit: Duration = .seconds(2),
        maxRetainedEntries: Int = 1_000_000, maxRetainedBytes: Int = 1 << 30, seed: UInt64
    ) {
        self.group = group
        self.node = node
        self.electionTimeout = electionTimeout
        self.heartbeatInterval = heartbeatInterval
        self.preVote = preVote
        self.checkQuorum = checkQuorum
        self.maxAppendBytes = maxAppendBytes
        self.maxInflightMessages = maxInflightMessages
        self.maxInflightBytes = maxInflightBytes
        self.maxUncommittedBytes = maxUncommittedBytes
        self.maxUnappliedBytes = maxUnappliedBytes
        self.maxApplyBytes = maxApplyBytes
        self.entryCacheBytes = entryCacheBytes
        self.defersCommitNotices = defersCommitNotices
        self.leaseReads = leaseReads
        self.maxClockDriftPercent = maxClockDriftPercent
        self.diskStallLimit = diskStallLimit
        self.maxRetainedEntries = maxRetainedEntries
        self.maxRetainedBytes = maxRetainedBytes
        self.seed = seed
    }

    /// How long a lease lasts from the start of its round: what remains of an election timeout when the leader's clock is
    /// the slowest allowed and the followers' the fastest.
    var leaseDuration: Duration {
        let percent = min(max(maxClockDriftPercent, 0), 100)
        return electionTimeout * (100 - percent) / (100 + percent)
    }
}
