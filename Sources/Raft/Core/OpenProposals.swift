import DequeModule

/// Proposals that were accepted and whose outcome is open.
///
/// Those of the current leadership are ordered by index. Those of earlier ones are kept until an entry is committed at
/// their index: losing leadership, or even the entry, proves nothing (another node may still hold and commit it).
struct OpenProposals: Hashable, Sendable {
    private struct Open: Hashable, Sendable {
        var token: ProposalToken
        var id: EntryID
    }

    private var current: Deque<Open> = []
    /// Ascending by index; several may have the same.
    private var earlier: Deque<Open> = []

    /// - Precondition: `id` lies behind all others of this leadership.
    mutating func add(_ token: ProposalToken, at id: EntryID) { current.append(Open(token: token, id: id)) }

    mutating func leadershipEnded() {
        guard !current.isEmpty else { return }
        earlier = Deque((earlier + current).sorted { $0.id.index < $1.id.index })
        current.removeAll()
    }

    /// Reports and forgets those at or below the commit index of `log`.
    mutating func resolve(with log: Log, into effects: inout [Effect]) {
        Self.resolve(&earlier, with: log, into: &effects)
        Self.resolve(&current, with: log, into: &effects)
    }

    private static func resolve(_ open: inout Deque<Open>, with log: Log, into effects: inout [Effect]) {
        while let oldest = open.first, oldest.id.index <= log.commitIndex {
            open.removeFirst()
            effects.append(.proposalResolved(oldest.token, outcome(of: oldest.id, in: log)))
        }
    }

    private static func outcome(of id: EntryID, in log: Log) -> ProposalOutcome {
        guard let term = log.term(at: id.index) else { return .unknown }
        return term == id.term ? .committed(id) : .lost
    }
}
