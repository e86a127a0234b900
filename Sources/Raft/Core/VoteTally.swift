/// The answers to one election or pre-election.
struct VoteTally: Hashable, Sendable {
    private var granted: [NodeID] = []
    private var refused: [NodeID] = []

    /// The first answer of a node counts; repeats change nothing.
    mutating func record(_ node: NodeID, granted isGranted: Bool) {
        guard vote(of: node) == nil else { return }
        if isGranted { granted.append(node) } else { refused.append(node) }
    }

    func vote(of node: NodeID) -> Bool? {
        granted.contains(node) ? true : refused.contains(node) ? false : nil
    }

    func outcome(in membership: Membership) -> Quorum.VoteOutcome {
        Quorum.outcome(in: membership) { vote(of: $0) }
    }
}
