import KeyValue
import PeerTransport
import Raft
import RedisServer

/// What the consensus thread is told by the other threads.
enum ConsensusEvent: Sendable {
    /// A segment of this node's clients.
    case submitted(Submission)
    case readsRequested(ReadWaiter)
    case peerMessages([PeerMessage])
    /// `hasData`: as the peer said of its directory.
    case linkUp(NodeID, LinkDirection, hasData: Bool)
    case linkDown(NodeID, LinkDirection, LinkEnd)
    case persisted(PersistTicket)
    case applied(AppliedNotice)
    case fetched(FetchRequest, [Entry])
    /// The state is durable up to here: the log may be cut as far as the other voters allow.
    case stateDurable(LogIndex)
    case truncated(EntryID)
    /// It is on disk that this node may vote.
    case votingAllowed
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

/// What the applier reports after a page of entries.
struct AppliedNotice: Sendable {
    /// The last applied entry.
    var last: EntryID
    /// Sequences of this process' segments among the applied ones, ascending.
    var settled: [UInt64]
    /// The newest stamp among the applied entries; 0: none.
    var stamp: UInt64
}
