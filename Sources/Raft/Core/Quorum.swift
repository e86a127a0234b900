/// Majorities over a membership. In a joint configuration both halves must agree (Raft paper, section 6).
enum Quorum {
    /// The greatest value that a quorum has reached.
    static func reached(in membership: Membership, _ value: (NodeID) -> UInt64) -> UInt64 {
        let incoming = reached(by: membership.voters, value)
        return membership.outgoing.isEmpty ? incoming : min(incoming, reached(by: membership.outgoing, value))
    }

    /// Whether `isMember` holds for a quorum.
    static func contains(_ membership: Membership, _ isMember: (NodeID) -> Bool) -> Bool {
        reached(in: membership) { isMember($0) ? 1 : 0 } == 1
    }

    enum VoteOutcome: Hashable, Sendable { case pending, won, lost }

    /// What an election has come to; `vote` is `nil` for those who have not answered.
    static func outcome(in membership: Membership, _ vote: (NodeID) -> Bool?) -> VoteOutcome {
        if contains(membership, { vote($0) == true }) { return .won }
        // It can still be won as long as a quorum has not refused.
        return contains(membership, { vote($0) != false }) ? .pending : .lost
    }

    /// The value at the majority's place in descending order; 0 without voters: nobody decides nothing.
    private static func reached(by voters: [NodeID], _ value: (NodeID) -> UInt64) -> UInt64 {
        guard !voters.isEmpty else { return 0 }
        return withUnsafeTemporaryAllocation(of: UInt64.self, capacity: voters.count) { sorted in
            for (count, voter) in voters.enumerated() {
                let new = value(voter)
                var place = count
                while place > 0, sorted[place - 1] < new {
                    sorted[place] = sorted[place - 1]
                    place -= 1
                }
                sorted[place] = new
            }
            return sorted[voters.count / 2]
        }
    }
}
