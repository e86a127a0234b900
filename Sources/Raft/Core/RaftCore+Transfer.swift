/// Leadership on its way to another node: Raft thesis, section 3.10.
struct Transfer: Hashable, Sendable {
    var target: NodeID
    /// The leader goes on when nothing has come of it by then.
    var deadline: MonotonicTime
}

/// The leader stops taking proposals, brings the target's log up to its own, and asks it to campaign at once. If nothing
/// comes of it within an election timeout, it goes on.
extension RaftCore {
    mutating func requestTransfer(to wanted: NodeID?) {
        if let reason = objection(toTransferTo: wanted) { return effects.append(.transferEnded(.refused(reason))) }
        guard let target = wanted ?? mostAdvancedVoter else {
            return effects.append(.transferEnded(.refused("no other voter was heard lately")))
        }
        leadership.transfer = Transfer(target: target, deadline: now.advanced(by: configuration.electionTimeout))
        askToCampaign(target)
    }

    private func objection(toTransferTo wanted: NodeID?) -> String? {
        guard role == .leader else { return "this node does not lead" }
        if let target = transferTarget { return "leadership is on its way to node \(target) already" }
        guard let wanted else { return nil }
        if wanted == configuration.node { return "node \(wanted) leads already" }
        return membership.voters.contains(wanted) ? nil : "node \(wanted) is no voter"
    }

    /// The voter whose log is longest among those that were heard lately; of equals, the one with the lowest id.
    var mostAdvancedVoter: NodeID? {
        var best: Progress?
        for peer in peers where membership.voters.contains(peer.node) && isActive(peer) && peer.mayVote {
            if peer.matchIndex >= (best?.matchIndex.next ?? .zero) { best = peer }
        }
        return best?.node
    }

    /// Asks the target of a transfer to campaign, once it holds the whole log.
    mutating func askToCampaign(_ node: NodeID) {
        guard transferTarget == node, let peer = position(of: node), peers[peer].matchIndex == log.lastIndex else {
            return
        }
        leadership.mayBeOvertaken = true
        send(.timeoutNow, to: node)
    }

    /// The request may have been lost.
    mutating func repeatTransfer() {
        if let target = transferTarget { askToCampaign(target) }
    }

    mutating func giveUpOverdueTransfer() {
        guard let transfer = leadership.transfer, now >= transfer.deadline else { return }
        endTransfer(.timedOut(target: transfer.target))
    }

    mutating func endTransfer(_ outcome: TransferOutcome) {
        guard leadership.transfer != nil else { return }
        leadership.transfer = nil
        effects.append(.transferEnded(outcome))
    }
}
