/// Who belongs to a group. Configurations change only by entries of the log, and take effect when applied (etcd's rule).
public struct Membership: Hashable, Sendable {
    /// Whose votes and acknowledgements count, ascending.
    public private(set) var voters: [NodeID]
    /// Who receives the log without counting, ascending. Always empty until membership changes exist.
    public private(set) var learners: [NodeID]
    /// The old voters of a joint configuration (Raft paper, section 6), ascending; empty outside of one.
    public private(set) var outgoing: [NodeID]

    public init(
        voters: some Sequence<NodeID>, learners: some Sequence<NodeID> = [], outgoing: some Sequence<NodeID> = []
    ) {
        self.voters = Set(voters).sorted()
        self.learners = Set(learners).sorted()
        self.outgoing = Set(outgoing).sorted()
    }

    /// Everyone, ascending.
    public var all: [NodeID] { Set(voters + learners + outgoing).sorted() }

    public func isVoter(_ node: NodeID) -> Bool { voters.contains(node) || outgoing.contains(node) }

    /// Whether `node` alone is a majority.
    public func isSoleVoter(_ node: NodeID) -> Bool { voters == [node] && outgoing.isEmpty }
}
