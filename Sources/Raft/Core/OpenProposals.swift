import DequeModule

/// Proposals that were accepted and whose outcome is open.
///
/// Those of the current leadership are ordered by index. Those of earlier ones are kept until an entry is committed at
/// their index: losing leadership, or even the entry, proves nothing (another node may still hold and commit it).
struct OpenProposals: Sendable {
    private struct Open: Sendable {
        var token: ProposalToken
        var id: EntryID
    }

    private var current: Deque<Open> = []
    private var earlier: [Open] = []

    /// - Precondition: `id` lies behind all others of this leadership.
    mutating func add(_ token: ProposalToken, at id: EntryID) { current.append(Open(token: token, id: id)) }

    mutating func leadershipEnded() {
        guard !current.isEmpty else { return }
        earlier.append(contentsOf: current)
        current.removeAll()
    }

    /// Reports and forgets those at or below the commit index of `log`.
    mutating func resolve(with log: Log, into effects: inout [Effect]) {
        if !earlier.isEmpty { resolveEarlier(with: log, into: &effects) }
        while let oldest = current.first, oldest.id.index <= log.commitIndex {
            current.removeFirst()
            effects.append(.proposalResolved(oldest.token, Self.outcome(of: oldest.id, in: log)))
        }
    }

    private mutating func resolveEarlier(with log: Log, into effects: inout [Effect]) {
        var stillOpen: [Open] = []
        for open in earlier {
            if open.id.index > log.commitIndex {
                stillOpen.append(open)
            } else {
                effects.append(.proposalResolved(open.token, Self.outcome(of: open.id, in: log)))
            }
        }
        earlier = stillOpen
    }

    private static func outcome(of id: EntryID, in log: Log) -> ProposalOutcome {
        log.term(at: id.index) == id.term ? .committed(id) : .lost
    }
}
