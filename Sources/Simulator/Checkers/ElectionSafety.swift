import Raft

/// I1: at most one leader in a term (Raft paper, figure 3).
struct ElectionSafety {
    private var leaders: [Term: NodeID] = [:]

    mutating func leads(_ node: NodeID, in term: Term) throws(Violation) {
        if let other = leaders[term], other != node {
            throw Violation(.electionSafety, "nodes \(other) and \(node) both lead term \(term)")
        }
        leaders[term] = node
    }

    func leader(of term: Term) -> NodeID? { leaders[term] }
}
