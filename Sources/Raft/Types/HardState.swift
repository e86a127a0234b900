/// What a node must have on disk before it answers (Raft paper, figure 2, "persistent state").
public struct HardState: Hashable, Sendable {
    /// The latest term that this node has seen.
    public var term: Term
    /// Whom this node voted for in `term`, if anyone.
    public var vote: NodeID?

    public init(term: Term = .zero, vote: NodeID? = nil) {
        self.term = term
        self.vote = vote
    }
}
