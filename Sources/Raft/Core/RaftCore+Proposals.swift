import ByteCoding

/// Proposals: into the log of a leader, and how they ended.
extension RaftCore {
    mutating func propose(_ batch: [Proposal]) {
        for proposal in batch {
            if let refusal = refusal() {
                effects.append(.proposalRefused(proposal.token, refusal))
            } else {
                let id = appendAsLeader(kind: .normal, payload: proposal.payload)
                proposals.add(proposal.token, at: id)
                effects.append(.proposalAccepted(proposal.token, id))
            }
        }
    }

    /// Why a proposal of a client is not taken now.
    func refusal() -> ProposalRefusal? {
        guard role == .leader else { return .notLeader(leader: leader) }
        guard membership.isVoter(configuration.node) else { return .notLeader(leader: nil) }
        if isDiskFull { return .diskFull }
        if let target = transferTarget { return .transferring(target: target) }
        // Soft by one proposal: one alone is always admitted, however large.
        guard leadership.uncommittedBytes == 0 || leadership.uncommittedBytes < configuration.maxUncommittedBytes else {
            return .uncommittedLimit
        }
        return isBehindWithApplying ? .unappliedLimit : nil
    }

    /// Whether the state machine must catch up before the log may grow.
    var isBehindWithApplying: Bool { log.backlogBytes > configuration.maxUnappliedBytes }

    /// Appends an entry of this term to the leader's own log; the next drain writes and sends it.
    @discardableResult
    mutating func appendAsLeader(kind: Entry.Kind, payload: Bytes = Bytes()) -> EntryID {
        let id = EntryID(term: hardState.term, index: log.lastIndex.next)
        let entry = Entry(group: configuration.group, id: id, kind: kind, payload: payload)
        log.append(entry)
        persistence.appended()
        if kind == .normal { leadership.uncommittedBytes += entry.footprintBytes }
        return id
    }
}
