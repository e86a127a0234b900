package import KeyValue

/// What the Redis door needs of the node behind it. All of it may be called from any event loop, and none of it waits for
/// the disk longer than a small write takes while the disk is quick.
package protocol CommandBackend: AnyObject, Sendable {
    /// Whether commands on data are taken; before, they are answered `-LOADING`.
    var isReady: Bool { get }

    /// Whether a read may be served at once: this node alone is the majority, so nobody else can have written.
    var readsAreLocal: Bool { get }

    /// Which writes are taken at the moment: asked before each, so it must be cheap.
    var admission: WriteAdmission { get }

    /// The whole error for a write that `admission` excludes.
    func noSpaceText() -> String

    /// Hands over a segment. The sink hears of it exactly once, under `ticket`.
    ///
    /// - Parameter mayWait: the caller may wait for the disk for the time of this write, if that is quicker.
    func submit(segment: Segment, ticket: UInt64, sink: any CompletionSink, mayWait: Bool)

    /// Asks for a moment, not before this call, at which this node's state answers linearizably. The sink hears when
    /// it has come for everything up to `ticket`, or that it will not.
    func requestReads(ticket: UInt64, sink: any CompletionSink)

    /// The state to read from: only after `CompletionSink.readsReady`, or when `readsAreLocal` has been true since the read
    /// came. Always the same one.
    var reader: any KeyValueReading { get }

    /// Runs `body` on a thread that may wait for the disk.
    func runBlocking(_ body: @escaping @Sendable () -> Void)

    /// A picture of the node, at most some milliseconds old.
    func description() -> NodeDescription

    /// What INFO tells of the store and the process; asks both.
    func usage() -> NodeUsage

    /// The JSON of `/status`.
    func statusJSON() -> String

    /// Carries out a request of an operator and calls `reply` once, from any thread, when it is done or has failed: at
    /// the latest after some seconds.
    func administer(_ request: AdminRequest, reply: @escaping @Sendable (AdminReply) -> Void)

    /// A read met a broken store: the node stops.
    func storeFailed(_ error: StateStoreError)
}

/// What is taken of the writes, as far as room on disks goes.
package enum WriteAdmission: Sendable {
    case all
    /// Only those after which less is stored.
    case freeing
    case none
}

/// Hears of what was handed to a `CommandBackend`. Called from any thread; must be quick.
package protocol CompletionSink: AnyObject, Sendable {
    func writesCompleted(_ results: [WriteResult])
    /// Every read asked for under a ticket up to this one may be executed.
    func readsReady(through ticket: UInt64)
    func readsFailed(through ticket: UInt64, _ failure: ReadFailure)
}

/// How the segment of a ticket ended.
package struct WriteResult: Sendable {
    package var ticket: UInt64
    /// One outcome for each command of the segment, in order, or why there is none.
    package var outcomes: Result<[Outcome], WriteFailure>
    package init(ticket: UInt64, outcomes: Result<[Outcome], WriteFailure>) {
        self.ticket = ticket
        self.outcomes = outcomes
    }
}

/// Why a segment has no outcome. Scope: the request.
package enum WriteFailure: Error, Hashable, Sendable {
    /// No leader was known for `park-timeout`: certainly not applied.
    case noLeader
    /// The leader could not take more for `park-timeout`: certainly not applied.
    case busy
    /// The leader's disk was full for `park-timeout`: certainly not applied.
    case noSpace
    /// Sent to a leader, and no news for `request-timeout`: may or may not take effect.
    case inDoubt
    /// The node is stopping: certainly not applied.
    case stopping
}

/// Why reads did not get their moment; they changed nothing and may be asked again. Scope: the request.
package enum ReadFailure: Error, Hashable, Sendable {
    /// No leader was known for `park-timeout`.
    case noLeader
    /// The leader did not confirm its leadership, or this node's state did not catch up, for `park-timeout`.
    case notConfirmed
    case stopping
}

/// What INFO, ROLE and ROOST.STATUS tell.
package struct NodeDescription: Sendable {
    package var isLeader: Bool
    package var role: String
    package var term: UInt64
    package var leaderNode: UInt64?
    /// The leader's plain door, when known.
    package var leaderRedis: (host: String, port: Int)?
    package var commitIndex: UInt64
    package var appliedIndex: UInt64
    package var voters: [UInt64]
    /// On the leader: (address of the plain door, match index) of each follower that is connected.
    package var followers: [(host: String, port: Int, matchIndex: UInt64)]
    package var version: String
    package var node: UInt64
    package var uptimeSeconds: Int
    package var redisPort: Int

    package init(
        isLeader: Bool, role: String, term: UInt64, leaderNode: UInt64?, leaderRedis: (host: String, port: Int)?,
        commitIndex: UInt64, appliedIndex: UInt64, voters: [UInt64],
        followers: [(host: String, port: Int, matchIndex: UInt64)], version: String, node: UInt64,
        uptimeSeconds: Int, redisPort: Int
    ) {
        self.isLeader = isLeader
        self.role = role
        self.term = term
        self.leaderNode = leaderNode
        self.leaderRedis = leaderRedis
        self.commitIndex = commitIndex
        self.appliedIndex = appliedIndex
        self.voters = voters
        self.followers = followers
        self.version = version
        self.node = node
        self.uptimeSeconds = uptimeSeconds
        self.redisPort = redisPort
    }
}

/// What the store and the process use.
package struct NodeUsage: Sendable {
    /// RocksDB's estimate of the keys.
    package var estimatedKeys: UInt64
    /// Resident memory of the process.
    package var residentBytes: UInt64
    package init(estimatedKeys: UInt64, residentBytes: UInt64) {
        self.estimatedKeys = estimatedKeys
        self.residentBytes = residentBytes
    }
}

/// Reads of the replicated state by user key. `RoostNode` joins it to the group and the store.
package protocol KeyValueReading: Sendable {
    /// Gives `body` the value in place, `nil` when absent. (Without a result, so that no call of it is generic.)
    func get(
        _ key: UnsafeRawBufferPointer, tier: ReadTier, _ body: (UnsafeRawBufferPointer?) -> Void
    ) throws(StateStoreError)
    /// Everything else; several keys are read at one moment.
    func execute(_ command: ReadCommand, tier: ReadTier) throws(StateStoreError) -> Outcome
}
