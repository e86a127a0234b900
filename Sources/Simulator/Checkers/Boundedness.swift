import Raft

/// I16: what a node keeps for others and for later stays within its limits, and so does a leader's patience with its disk.
enum Boundedness {
    /// A node is looked at after so many turns, and a leader with each heartbeat.
    static let interval = 32
    /// Entries given to a disk that stalls: each of the few leaderships that fit into a stall fills its window once.
    static let maxWindowsUnwritten = 16
    /// One that is made, one that is sent still, one that comes in, one that waits for its install, and one to discard.
    static let maxSnapshotFiles = 5
    /// Read groups of one node: a group lives for some election timeouts, and a turn makes one at most.
    static let maxOpenReads = 1_000
    /// The log may keep so many allowances while a follower receives a snapshot.
    static let allowances = 4

    /// What one node holds.
    struct Footprint {
        var node: NodeID
        /// Of a leader, to each peer.
        var inflightMessages: [Int] = []
        /// Of a leader.
        var uncommittedBytes = 0
        /// Entries that the core has given out and the disk has not.
        var unwrittenBytes = 0
        /// Committed entries that wait for the state machine.
        var unappliedBytes = 0
        var snapshotFiles = 0
        var openReads = 0
    }

    /// - Parameter largest: the largest proposal that anybody made: a limit in bytes is soft by one.
    static func check(_ node: Footprint, limits: SwarmOptions.CoreOptions, largest: Int) throws(Violation) {
        func demand(_ what: String, _ value: Int, atMost limit: Int) throws(Violation) {
            guard value > limit else { return }
            throw Violation(.boundedness, "node \(node.node) has \(value) \(what); the limit is \(limit)")
        }
        let soft = largest + Self.overheadBytes
        for count in node.inflightMessages {
            try demand("messages under way to a follower", count, atMost: limits.maxInflightMessages)
        }
        try demand("bytes uncommitted", node.uncommittedBytes, atMost: limits.maxUncommittedBytes + soft)
        let window = limits.maxInflightBytes + limits.maxAppendBytes + limits.maxUncommittedBytes + 3 * soft
        try demand("bytes unwritten", node.unwrittenBytes, atMost: Self.maxWindowsUnwritten * window)
        try demand(
            "bytes unapplied", node.unappliedBytes, atMost: limits.maxUnappliedBytes + Self.unappliedSlack + window)
        try demand("snapshot files", node.snapshotFiles, atMost: Self.maxSnapshotFiles)
        try demand("groups of reads", node.openReads, atMost: Self.maxOpenReads)
    }

    /// The core counts this in steps.
    private static let unappliedSlack = 512 << 10

    /// Of an entry beside its payload, and of what the leader itself appends.
    private static let overheadBytes = 1_024

    /// - Parameter duration: for how long the disk has hung beyond its limit, with a majority of others ahead.
    static func checkStall(_ leader: NodeID, _ duration: Duration, limit: Duration) throws(Violation) {
        guard duration > limit else { return }
        throw Violation(
            .boundedness, "leader \(leader)'s disk hangs, others are ahead, and it has led for \(duration) since")
    }

    /// With a heartbeat a leader lets everything go from the log that is committed and longer ago than the settings
    /// allow, whoever lags behind.
    ///
    /// - Parameters:
    ///   - old: what was committed before the turn.
    ///   - last: where the log ended before the turn.
    static func checkRetention(
        _ leader: NodeID, truncatable: LogIndex, commit old: LogIndex, last: LogIndex, maxRetainedEntries: Int
    ) throws(Violation) {
        let kept = UInt64(allowances * maxRetainedEntries)
        let expected = min(old, LogIndex(last.rawValue - min(last.rawValue, kept)))
        guard truncatable < expected else { return }
        throw Violation(
            .boundedness,
            """
            leader \(leader) keeps its log behind \(truncatable), and should have let everything up to \(expected) go: \
            the log ends at \(last), \(maxRetainedEntries) entries are to be kept
            """)
    }
}
