import Raft

/// What a commit index stands for: I5 (nobody commits another entry at an index), I14 (a leader commits only through an
/// entry of its own term; Raft paper, section 5.4.2), I8 (what is committed is durable on a majority, and
/// what a leader counts on is durable where it thinks).
struct CommitSafety {
    private(set) var committed = CommittedLog()

    /// A node's commit index has moved.
    ///
    /// - Parameter earlier: memberships that held earlier in the same turn: a leader may have committed by one of them
    ///   before it applied the change to the next.
    mutating func advance(
        _ node: NodeLedger, to index: LogIndex, term: Term, leading: Bool, others: [NodeLedger],
        earlier: [Membership] = []
    ) throws(Violation) {
        if leading { try checkLeader(node, index, term, others, earlier) }
        var next = node.commit.next
        while next <= index {
            try note(next, on: node, term: term)
            next = next.next
        }
    }

    private mutating func note(_ index: LogIndex, on node: NodeLedger, term: Term) throws(Violation) {
        guard index > node.given.base.index else { return }
        guard let stamp = node.given[index] else {
            throw Violation(.stateMachineSafety, "node \(node.id) commits \(index), which its log does not hold")
        }
        if let known = committed[index] {
            guard known.stamp == stamp else {
                throw Violation(
                    .stateMachineSafety,
                    "node \(node.id) commits \(stamp.term)/\(index), but \(known.stamp.term)/\(index) was committed")
            }
        } else if index == committed.lastIndex.next {
            committed.append(CommittedLog.Committed(stamp: stamp, committedIn: term))
        } else {
            throw Violation(.stateMachineSafety, "node \(node.id) commits \(index) after \(committed.lastIndex)")
        }
    }

    private func checkLeader(
        _ node: NodeLedger, _ index: LogIndex, _ term: Term, _ others: [NodeLedger], _ earlier: [Membership]
    ) throws(Violation) {
        guard index > node.given.base.index else { return }
        guard let entryTerm = node.given.term(at: index) else {
            throw Violation(.commitInTerm, "leader \(node.id) commits \(index), which its log does not hold")
        }
        guard entryTerm == term else {
            throw Violation(
                .commitInTerm, "leader \(node.id) of term \(term) commits up to \(entryTerm)/\(index), of another term")
        }
        let wasEnough = earlier.contains { isDurable(index, term, in: $0, others) }
        guard !wasEnough, !isDurable(index, term, in: node.membership, others) else { return }
        let holders = others.filter { $0.holdsDurably(index, term) }.map(\.id)
        throw Violation(
            .committedDurability,
            """
            leader \(node.id) commits \(term)/\(index), which is durable on nodes \(holders) only; voters are \
            \(node.membership.voters), outgoing \(node.membership.outgoing)
            """)
    }

    /// What a leader counts as held by a follower, the follower's disk holds, unless the follower has left for a later
    /// term.
    static func checkMatch(
        _ index: LogIndex, of follower: NodeLedger, by leader: NodeLedger, in term: Term
    ) throws(Violation) {
        guard index > .zero, follower.term <= term, let entryTerm = leader.given.term(at: index),
            !follower.holdsDurably(index, entryTerm)
        else { return }
        throw Violation(
            .committedDurability,
            """
            leader \(leader.id) counts on node \(follower.id) for \(entryTerm)/\(index), which its disk, with a log to \
            \(follower.durable.lastIndex), does not hold
            """)
    }

    private func isDurable(
        _ index: LogIndex, _ term: Term, in membership: Membership, _ nodes: [NodeLedger]
    ) -> Bool {
        membership.isDecided(by: nodes.filter { $0.holdsDurably(index, term) }.map(\.id))
    }
}
