import Raft

/// I1: at most one leader in a term (Raft paper, figure 3), elected by the votes of a majority, of whom each voted once.
struct ElectionSafety {
    private struct Vote {
        var voter: NodeID
        /// Which of the voter's disks says so: a node whose disk was lost votes as somebody else.
        var disk: Int
        var candidate: NodeID
    }

    private var leaders: [Term: NodeID] = [:]
    private var votes: [Term: [Vote]] = [:]

    // MARK: Votes

    /// A node tells another that it votes for it.
    mutating func votes(_ voter: NodeLedger, for candidate: NodeID, in term: Term) throws(Violation) {
        if let other = votes[term]?.first(where: { $0.voter == voter.id && $0.disk == voter.disk }) {
            guard other.candidate != candidate else { return }
            throw Violation(
                .electionSafety, "node \(voter.id) votes for \(other.candidate) and \(candidate) in term \(term)")
        }
        votes[term, default: []].append(Vote(voter: voter.id, disk: voter.disk, candidate: candidate))
    }

    // MARK: Leaders

    /// - Parameter memberships: those by which the node may have counted: all that held in the turn in which it won.
    mutating func leads(_ node: NodeLedger, in term: Term, by memberships: [Membership]) throws(Violation) {
        if let other = leaders[term], other != node.id {
            throw Violation(.electionSafety, "nodes \(other) and \(node.id) both lead term \(term)")
        }
        leaders[term] = node.id
        guard !memberships.contains(where: { isElected(node, in: term, by: $0) }) else { return }
        let voters = votes[term, default: []].filter { $0.candidate == node.id }.map(\.voter)
        throw Violation(
            .electionSafety,
            """
            node \(node.id) leads term \(term) by its own vote and those of \(voters); voters are \
            \(node.membership.voters), outgoing \(node.membership.outgoing)
            """)
    }

    func leader(of term: Term) -> NodeID? { leaders[term] }

    private func isElected(_ node: NodeLedger, in term: Term, by membership: Membership) -> Bool {
        func hasVote(of voter: NodeID) -> Bool {
            if voter == node.id { return node.durableHardState == HardState(term: term, vote: node.id) }
            return votes[term]?.contains { $0.voter == voter && $0.candidate == node.id } ?? false
        }
        return membership.isDecided(by: (membership.voters + membership.outgoing).filter(hasVote))
    }
}
