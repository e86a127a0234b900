import ByteCoding

@testable import Raft

/// A small world to be searched: where it starts, what may happen in it, and how far the search goes.
struct SearchSpace: Sendable {
    /// What the search is about; names the report.
    var title: String
    /// What each node has on its disk at the start; node ids count from 1.
    var start: [RestoredState]
    /// How much of the logs at the start is committed, by whatever happened before.
    var committed: LogIndex = .zero
    /// Brings the world from its start to where the search begins.
    var prepare: @Sendable (inout World, SearchSpace) -> Void = { _, _ in }
    var budget: Budget
    var bounds: Bounds
    var configure: @Sendable (inout Configuration) -> Void = plain
    /// Every write is durable at once: for searches in which no crash can lose one.
    var syncsAtOnce = false
    /// Committed entries are applied at once, as far as the core gives them out.
    var appliesAtOnce = true
    /// Heartbeats get lost: for searches that go deeper without them.
    var losesHeartbeats = false
    /// The changes of the membership that leaders are asked for, in this order.
    var changes: [MembershipChange] = []
    /// All nodes start alike, so that it is no loss of generality when node 1 moves first.
    var isSymmetric = false
    /// What is committed is not on a quorum of disks at the start, because one was lost.
    var startsDamaged = false
    /// A rule that is broken on purpose.
    var flaw: Flaw?

    /// What may happen at most so often on one path. A path that has used everything up still delivers and syncs.
    struct Budget: Hashable, Sendable {
        /// Election timeouts, of all nodes together.
        var elections = 0
        var heartbeats = 0
        var proposals = 0
        /// Crashes that lose what is not durable; the node starts again at once. (One that stays down for a while is
        /// one to which nothing happens for a while.)
        var crashes = 0
        var duplicates = 0
        /// Explicit losses. A message that is never delivered is as good as lost, so this only makes room under
        /// `Bounds.packets`.
        var drops = 0
        /// A node's view that it heard nobody for an election timeout (CheckQuorum, the protection of leaders).
        var silences = 0
        var reads = 0
        var changes = 0
        var transfers = 0
        var compactions = 0
        /// Explicit failures of a snapshot's way to its follower.
        var lostSnapshots = 0
    }

    /// States beyond these are judged, but not followed.
    struct Bounds: Sendable {
        var depth: Int
        var term: UInt64
        var entries: UInt64
        /// Different messages under way.
        var packets: Int
        /// Searches end when they have seen so many states.
        var states: Int = .max
    }
}
