/// Who belongs to a group. Configurations change only by entries of the log, and take effect when applied (etcd's rule).
///
/// Outside of a change only `voters` and `learners` are set. A joint configuration (Raft paper, section 6) also has the
/// voters before the change in `outgoing`: elections and commits then need a majority of both.
public struct Membership: Hashable, Sendable {
    /// Whose votes and acknowledgements count, ascending.
    public internal(set) var voters: [NodeID]
    /// Who receives the log without counting, ascending. Disjoint from `voters` and `outgoing`.
    public internal(set) var learners: [NodeID]
    /// The voters before the change of a joint configuration, ascending; empty outside of one.
    public internal(set) var outgoing: [NodeID]
    /// Outgoing voters that become learners when the joint configuration is left, ascending (etcd: LearnersNext).
    public internal(set) var learnersNext: [NodeID]
    /// Whether the leader proposes by itself to leave the joint configuration, once it has applied it.
    public internal(set) var leavesAutomatically: Bool

    public init(
        voters: some Sequence<NodeID>, learners: some Sequence<NodeID> = [], outgoing: some Sequence<NodeID> = [],
        learnersNext: some Sequence<NodeID> = [], leavesAutomatically: Bool = false
    ) {
        self.voters = Set(voters).sorted()
        self.learners = Set(learners).sorted()
        self.outgoing = Set(outgoing).sorted()
        self.learnersNext = Set(learnersNext).sorted()
        self.leavesAutomatically = leavesAutomatically
    }

    /// Everyone, ascending.
    public var all: [NodeID] { Set(voters + learners + outgoing).sorted() }

    /// In the middle of a change: two majorities count.
    public var isJoint: Bool { !outgoing.isEmpty }

    public func contains(_ node: NodeID) -> Bool { isVoter(node) || learners.contains(node) }

    public func isVoter(_ node: NodeID) -> Bool { voters.contains(node) || outgoing.contains(node) }

    /// Has voters, none of whom is a learner; only voters on their way out become learners.
    var isValid: Bool {
        !voters.isEmpty && !learners.contains(where: isVoter)
            && learnersNext.allSatisfy { outgoing.contains($0) && !voters.contains($0) }
    }

    /// Whether nothing is decided without `node`, whoever else agrees.
    func isInEveryQuorum(_ node: NodeID) -> Bool {
        [voters, outgoing].contains { $0.count <= 2 && $0.contains(node) }
    }

    /// Whether nobody else belongs to the group.
    public func isAlone(_ node: NodeID) -> Bool { isSoleVoter(node) && learners.isEmpty }

    /// Whether `node` alone is a majority.
    public func isSoleVoter(_ node: NodeID) -> Bool {
        voters == [node] && (outgoing.isEmpty || outgoing == [node])
    }
}
