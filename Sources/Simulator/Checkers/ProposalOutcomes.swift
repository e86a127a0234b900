import Raft

/// What a leader says of a proposal in the end is what became of its entry: committed where it was accepted, or lost,
/// because another entry is committed there.
struct ProposalOutcomes {
    private struct Name: Hashable {
        var incarnation: UInt64
        var token: ProposalToken
    }

    private var accepted: [Name: EntryID] = [:]

    mutating func accepted(_ token: ProposalToken, of incarnation: UInt64, as id: EntryID) {
        accepted[Name(incarnation: incarnation, token: token)] = id
    }

    mutating func resolved(
        _ token: ProposalToken, of incarnation: UInt64, _ outcome: ProposalOutcome, committed: CommittedLog
    ) throws(Violation) {
        guard let id = accepted.removeValue(forKey: Name(incarnation: incarnation, token: token)) else {
            throw Violation(
                .proposalOutcome, "proposal \(token.rawValue) is resolved, but was not accepted or was already")
        }
        switch outcome {
        case .unknown: return
        case .committed(let place):
            guard place == id, committed[id.index]?.stamp.term == id.term else {
                throw Violation(
                    .proposalOutcome, "proposal \(token.rawValue), accepted as \(id), is said to be \(place)")
            }
        case .lost:
            guard let known = committed[id.index], known.stamp.term != id.term else {
                throw Violation(
                    .proposalOutcome, "proposal \(token.rawValue) is said to be lost, but \(id) is or may be committed")
            }
        }
    }
}
