import ByteCoding
import KeyValue
import PeerTransport
import Raft
import RaftStorage
import RedisServer

/// What the consensus thread is told by the other threads.
enum ConsensusEvent: Sendable {
    /// A segment of this node's clients.
    case submitted(Submission)
    case readsRequested(ReadWaiter)
    case peerMessages([PeerMessage])
    case linkUp(PeerIdentity, LinkDirection)
    case linkDown(NodeID, LinkDirection, LinkEnd)
    /// `time`: how long the write took.
    case persisted(PersistTicket, time: Duration)
    case applied(AppliedNotice)
    case fetched(FetchRequest, [Entry])
    /// The state is durable up to here: the log may be cut as far as the other voters allow.
    ///
    /// `tailStart`: behind it lie as many bytes as are kept for followers.
    case stateDurable(LogIndex, tailStart: LogIndex)
    case truncated(EntryID)
    /// How much room is on this node's disk: about once a second, and when the level changes.
    case roomMeasured(Room)
    /// It is on disk that this node may vote.
    case votingAllowed
    /// An operator, a joining node or this node's stop wants something of the membership.
    case wished(MembershipWish)
    /// That peer knows this node's id with another data directory.
    case knownOtherwise(by: NodeID)
    /// That peer says that this node was removed from the cluster.
    case removedBy(NodeID)
    case snapshotReported(to: NodeID, SnapshotReport)
    /// A snapshot has arrived, whole and checked.
    case snapshotReceived(SnapshotMeta, from: NodeID, term: Term)
    /// A snapshot is this node's state now, durably.
    case snapshotInstalled(SnapshotMeta, ClusterDirectory)
    /// What this node itself holds of what its leader, itself, wanted to compare.
    case compared(ComparisonReport, lastKeys: [Bytes])
    case stopTaking
    case stop
}

struct Submission: Sendable {
    var segment: Segment
    var ticket: UInt64
    var sink: any CompletionSink
}

struct ReadWaiter: Sendable {
    var ticket: UInt64
    var sink: any CompletionSink
}

/// Something for the `MembershipDesk`, and whom to tell what came of it: once, on the consensus thread.
struct MembershipWish: Sendable {
    var wish: MembershipDesk.Wish
    var answer: @Sendable (MembershipDesk.Answer) -> Void
}

/// What the applier reports after a page of entries.
struct AppliedNotice: Sendable {
    /// The last applied entry.
    var last: EntryID
    /// Sequences of this process' segments among the applied ones, ascending.
    var settled: [UInt64]
    /// The newest stamp among the applied entries; 0: none.
    var stamp: UInt64
    /// The members' addresses and ids after the page, if it changed anything about the membership.
    var cluster: ClusterPosition?
    /// How long it took.
    var time: Duration
}
