/// A picture of the core for operators and tests.
public struct Status: Hashable, Sendable {
    public var node: NodeID
    public var role: RoleKind
    public var term: Term
    public var vote: NodeID?
    public var leader: NodeID?
    public var membership: Membership
    /// First index that is still in the log, last index, last durable index, commit and applied index.
    public var firstIndex: LogIndex
    public var lastIndex: LogIndex
    public var durableIndex: LogIndex
    public var commitIndex: LogIndex
    public var appliedIndex: LogIndex
    /// Everything up to here no log needs any more; see `RaftCore.truncatableIndex`.
    public var truncatableIndex: LogIndex
    /// To whom leadership is being handed over, if it is.
    public var transferTarget: NodeID?
    /// On a leader: the others, ascending by id. Empty elsewhere.
    public var peers: [Peer]

    public struct Peer: Hashable, Sendable {
        public var node: NodeID
        public var mode: Mode
        /// Everything up to here is known to be durable there.
        public var matchIndex: LogIndex
        public var nextIndex: LogIndex
        public var inflightMessages: Int
        /// It receives the log without counting.
        public var isLearner: Bool
        /// Heard from within the last election timeout.
        public var isActive: Bool
    }

    /// How a leader sends to a follower (etcd's words).
    public enum Mode: String, Hashable, Sendable {
        /// One message at a time, until the logs are known to meet.
        case probe
        /// Optimistically, many messages under way.
        case replicate
        /// It needs a snapshot.
        case snapshot
    }
}
