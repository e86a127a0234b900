import ByteCoding

/// Changes of the membership: Raft paper, section 6; Raft thesis, chapter 4; etcd's rule that they take effect when applied.
///
/// Why that is safe: one change at a time is between its proposal and its application (`pendingMembershipIndex`), so any
/// two nodes that can lead or commit at the same time use configurations that are the same or follow each other, whose
/// quorums meet. A node that was told of a committed change does not campaign before it has applied it.
extension RaftCore {
    // MARK: Proposing

    mutating func propose(_ change: MembershipChange, token: ProposalToken) {
        if let refusal = refusal(of: change) {
            effects.append(.proposalRefused(token, refusal))
        } else {
            let id = appendMembershipChange(change)
            proposals.add(token, at: id)
            effects.append(.proposalAccepted(token, id))
        }
    }

    private func refusal(of change: MembershipChange) -> ProposalRefusal? {
        guard role == .leader else { return .notLeader(leader: leader) }
        guard membership.isVoter(configuration.node) else { return .notLeader(leader: nil) }
        if isDiskFull { return .diskFull }
        if let target = transferTarget { return .transferring(target: target) }
        guard leadership.pendingMembershipIndex <= log.appliedIndex else { return .membershipChangePending }
        do throws(MembershipChangeError) {
            _ = try membership.applying(change)
            return nil
        } catch {
            return .invalidMembershipChange(error)
        }
    }

    @discardableResult
    private mutating func appendMembershipChange(_ change: MembershipChange) -> EntryID {
        let open = log.membershipChanges(after: log.appliedIndex, through: log.lastIndex)
        if let first = open.first { violate(.twoChanges, "\(first.id) is not applied, and another is proposed") }
        let id = appendAsLeader(kind: .membership, payload: change.encode())
        leadership.pendingMembershipIndex = id.index
        return id
    }

    // MARK: Taking effect

    /// The state machine has applied these entries; what they change, changes here.
    mutating func adopt(_ changes: [Entry]) {
        for entry in changes {
            guard !membership.voters.isEmpty else {
                // Whoever joins must be told the founders: they are not in the log, and a node that does not know them
                // would take the first one added for the only one.
                return violate(.membershipUnknown, "entry \(entry.id) changes a membership that was never known")
            }
            guard let change = try? MembershipChange(decoding: entry.payload) else {
                return violate(.membershipChange, "entry \(entry.id) holds a change that this version can't read")
            }
            // The leader has checked it against the same membership; if it does not fit after all, it fits nowhere.
            if let changed = try? membership.applying(change) { adopt(changed) }
        }
        leaveJointConfiguration()
        if role == .leader, !changes.isEmpty {
            leadership.hasNewsToSettle = true
            settle()
        }
    }

    mutating func adopt(_ changed: Membership) {
        guard changed != membership else { return }
        guard changed.isValid else { return violate(.membershipInvalid, "\(changed)") }
        let former = membership
        membership = changed
        // A node that knows who counts should not forget it with the power. (The commit index is else written with entries
        // only, and a restart might not know that this change was committed.)
        persistence.commitMatters()
        let known = peers
        peers = changed.all.filter { $0 != configuration.node }.map { node in
            known.first { $0.node == node }
                ?? Progress(node: node, nextIndex: log.lastIndex.next, configuration: configuration, now: now)
        }
        effects.append(.membershipChanged(changed))
        switch role {
        case .leader: adoptAsLeader(after: former)
        case .candidate, .preCandidate:
            if !changed.isVoter(configuration.node) { becomeFollower(in: hardState.term, leader: nil) }
        case .follower: break
        }
    }

    /// A smaller quorum may already hold or have confirmed what a larger one did not.
    private mutating func adoptAsLeader(after former: Membership) {
        if let target = transferTarget, !membership.voters.contains(target) {
            endTransfer(.refused("node \(target) is no voter any more"))
        }
        leadership.localReadsFrom = max(leadership.localReadsFrom, log.commitIndex)
        if former.voters != membership.voters || former.outgoing != membership.outgoing {
            leadership.settlingIndex = appendAsLeader(kind: .noop).index
        }
        advanceCommit()
        if role == .leader { confirmReads() }
    }

    /// Says that the membership of now may be relied on, when that is so.
    ///
    /// A change of who votes is committed by the old quorum too, but known to be committed, at first, by this leader alone.
    /// If it were gone, together with somebody who was removed or beside somebody who was added, the others would still
    /// count as before, and might never elect anybody. So an empty entry follows. It reaches every log together with the commit index of the change
    /// (whoever hands it on knows that index itself), and both are written as one: who acknowledges the entry does not
    /// forget the change. When a quorum of those who count now has done so, all who came with the change may go.
    mutating func settle() {
        guard leadership.hasNewsToSettle, log.commitIndex >= leadership.settlingIndex else { return }
        leadership.hasNewsToSettle = false
        effects.append(.membershipSettled(through: log.appliedIndex))
        if !membership.isVoter(configuration.node) { retire() }
    }

    /// The leader has no vote any more, and the others know it (Raft thesis, section 4.2.2: until then it leads on without
    /// counting itself). The one with the longest log may campaign at once.
    private mutating func retire() {
        for position in peers.indices where peers[position].mode != .snapshot { sendCommit(to: position) }
        if let heir = mostAdvancedVoter { send(.timeoutNow, to: heir) }
        becomeFollower(in: hardState.term, leader: nil)
    }

    /// Whoever leads a joint configuration that is to be left by itself, leaves it.
    private mutating func leaveJointConfiguration() {
        guard role == .leader, membership.isJoint, membership.leavesAutomatically,
            leadership.pendingMembershipIndex <= log.appliedIndex
        else { return }
        appendMembershipChange(.leaveJoint)
    }

    // MARK: Learners

    mutating func noteCatchUp(of node: NodeID) {
        guard role == .leader, membership.learners.contains(node), let peer = position(of: node) else { return }
        let hasCaughtUp = peers[peer].catchUp.reached(
            peers[peer].matchIndex, last: log.lastIndex, now: now, limit: configuration.electionTimeout)
        if hasCaughtUp { effects.append(.learnerCaughtUp(node)) }
    }
}
