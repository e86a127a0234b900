/// What the disk and the state machine report.
extension RaftCore {
    mutating func persisted(_ ticket: PersistTicket) {
        guard ticket < persistence.nextTicket else {
            return violate(.ticketUnknown, "ticket \(ticket.rawValue) was never given out")
        }
        for message in persistence.completed(ticket) where isStillMeant(message) {
            checkPromise(message)
            effects.append(.send(message))
        }
        if let own = election.ownVoteTicket, own <= persistence.durableTicket {
            election.ownVoteTicket = nil
            countVote(of: configuration.node, granted: true)
        }
        if role == .leader { advanceCommit() }
        liftVotingBan()
        log.evict(durable: persistence.durableIndex, maxBytes: configuration.entryCacheBytes)
    }

    /// Whether a message that waited for the disk is still worth sending.
    ///
    /// Those of an earlier term are not only useless: an entry that was overwritten before it was ever written out is
    /// acknowledged by none of them.
    private func isStillMeant(_ message: Message) -> Bool {
        guard message.term == hardState.term else { return false }
        if case .voteRequest = message.body { return role == .candidate }
        return true
    }

    mutating func applied(through index: LogIndex) {
        guard index <= log.applyingIndex else {
            return violate(.appliedTooFar, "\(index) applied, but only \(log.applyingIndex) was given out")
        }
        guard index > log.appliedIndex else { return }
        let changes = log.membershipChanges(after: log.appliedIndex, through: index)
        log.applied(through: index)
        adopt(changes)
        log.evict(durable: persistence.durableIndex, maxBytes: configuration.entryCacheBytes)
        // A leader that leaves hands over when it knows that its removal is known.
        if isSoleVoter, role == .follower, leader == nil { campaignIfAllowed() }
    }

    /// Gives out what is committed and durable here, so that the state never gets ahead of the log on disk.
    mutating func flushApply() {
        // What is committed meanwhile is part of the snapshot, or comes after it.
        guard installing == nil else { return }
        var last = log.applyingIndex
        while let entries = log.takeUnapplied(
            through: persistence.durableIndex, maxBytes: configuration.maxApplyBytes)
        {
            guard entries.first?.index == last.next, entries.last?.index == log.applyingIndex else {
                let given = "\(entries.first?.index ?? .zero)...\(entries.last?.index ?? .zero)"
                return violate(.applyOrder, "entries \(given) for \(last.next)...\(log.applyingIndex)")
            }
            last = log.applyingIndex
            effects.append(.apply(entries))
        }
    }
}
