import Raft

/// What the judge has noted of one node.
final class NodeLedger {
    let id: NodeID
    /// The log as the core has given it out.
    var given = ShadowLog()
    /// The log as the disk has acknowledged it.
    var durable = ShadowLog()
    var durableHardState = HardState()
    /// Counts its disks: it begins anew with each.
    private(set) var disk = 1
    /// The commit index that was written with what the disk has acknowledged.
    var durableCommit = LogIndex.zero
    /// The same of the disks which it lost.
    private(set) var lostCommit = LogIndex.zero
    /// Given out and not acknowledged, in order.
    var pending: [PersistBatch] = []
    /// The log was cut through here, which the next synced write makes durable.
    var pendingCut: EntryID?
    /// A snapshot is being installed.
    var installing: SnapshotMeta?
    var commit = LogIndex.zero
    /// Before the latest turn.
    var earlierCommit = LogIndex.zero
    var applied = LogIndex.zero
    /// The state as of this index was flushed.
    var flushed = LogIndex.zero
    var term = Term.zero
    /// The term in which it led when its turn began; `nil`: it did not.
    var leading: Term?
    var membership: Membership
    /// Those that held earlier in the latest turn.
    var earlierMemberships: [Membership] = []

    init(id: NodeID, membership: Membership) {
        self.id = id
        self.membership = membership
    }

    /// The same node with an empty disk.
    convenience init(after old: NodeLedger, membership: Membership) {
        self.init(id: old.id, membership: membership)
        disk = old.disk + 1
        lost = old.lost + [old.durable]
        lostCommit = max(old.lostCommit, old.durableCommit)
    }

    /// The logs that were on the disks which it lost: what it acknowledged from there counts for those who heard it.
    private(set) var lost: [ShadowLog] = []

    /// All that its leader may have counted by in the latest turn.
    var membershipsOfTurn: [Membership] { earlierMemberships + [membership] }

    /// Whether the entry is on its disk, acknowledged, or was on one that is lost.
    func holdsDurably(_ index: LogIndex, _ term: Term) -> Bool {
        durable.covers(index, term) || lost.contains { $0.covers(index, term) }
    }
}

/// What all logs agree on: every entry that anyone ever committed, from index 1.
struct CommittedLog {
    private(set) var entries: [Committed] = []

    struct Committed {
        var stamp: EntryStamp
        /// The term of the node that was first known to commit it.
        var committedIn: Term
    }

    var lastIndex: LogIndex { LogIndex(UInt64(entries.count)) }

    subscript(index: LogIndex) -> Committed? {
        index > .zero && index <= lastIndex ? entries[Int(index.rawValue) - 1] : nil
    }

    mutating func append(_ entry: Committed) { entries.append(entry) }
}
