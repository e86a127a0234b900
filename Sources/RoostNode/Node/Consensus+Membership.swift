import Logging
import PeerTransport
import Raft
import RaftStorage

/// Who belongs to the cluster: what is wanted of it, and what changes when the log says so.
extension Consensus {
    // MARK: - Wishes

    func take(_ wish: MembershipWish, at now: MonotonicTime) {
        lastDeskTicket += 1
        deskCallers[lastDeskTicket] = wish.answer
        desk.add(wish.wish, ticket: lastDeskTicket, at: now)
    }

    /// Does the next thing that the desk wants done.
    func changeMembership(at now: MonotonicTime) {
        guard !desk.isEmpty else { return }
        switch desk.next(deskView()) {
        case .propose(let token, let change)?: core.step(.membershipChangeProposed(token, change), at: now)
        case .transfer(let target)?: core.step(.transferRequested(to: target), at: now)
        case nil: break
        }
    }

    func answerDesk() {
        for (ticket, answer) in desk.takeAnswers() { deskCallers.removeValue(forKey: ticket)?(answer) }
    }

    private func deskView() -> DeskView {
        let status = core.status
        var lag: [NodeID: UInt64] = [:]
        for peer in status.peers where peer.isActive {
            lag[peer.node] = status.lastIndex.distance(from: peer.matchIndex)
        }
        return DeskView(
            node: parts.node, isLeader: status.role == .leader, membership: status.membership,
            directory: parts.book.directory, lag: lag, contacts: parts.book.contacts())
    }

    func transferEnded(_ outcome: TransferOutcome) {
        switch outcome {
        case .steppedDown: parts.logger.notice("leadership handed over")
        case .timedOut(let target):
            parts.logger.warning("leadership was not taken over in time", metadata: ["peer.id": "\(target)"])
        case .refused(let why): parts.logger.notice("leadership is not handed over", metadata: ["reason": "\(why)"])
        }
        desk.transferEnded(outcome)
    }

    // MARK: - What the log says

    /// The state machine has applied changes: from now on the book holds what came of them.
    func adopt(_ cluster: ClusterPosition) {
        // Two readers of the same entries must come to the same.
        guard cluster.membership == core.membership else {
            return parts.failure.fail(
                NodeFailure(
                    violation: InvariantViolation(
                        rule: "membership-differs",
                        detail: "the core has \(core.membership), the state machine \(cluster.membership)")))
        }
        parts.book.update(cluster.membership, cluster.directory)
        parts.transport.setPeers(parts.book.dialTable())
        if parts.book.standing(of: parts.node) == .removed { beginToLeave() }
    }

    /// The log says that this node was removed. It goes when a member says so too: until the others know that the change
    /// is committed, they may still count with its vote, or lack nothing but its word (`Message.Body.commitNotice`).
    private func beginToLeave() {
        guard nextKnock == nil, !isLeaving else { return }
        parts.logger.notice("removed from the cluster; waiting for a member to confirm it")
        // Nothing that its clients wait for will come here any more.
        giveUpOnEverybody()
        nextKnock = SystemClock.monotonic().advanced(by: limits.knockInterval)
    }

    /// Dials the members again: whoever has applied the removal says so in the handshake.
    func knockIfDue(at now: MonotonicTime) {
        guard let due = nextKnock, now >= due, !isLeaving else { return }
        nextKnock = now.advanced(by: limits.knockInterval)
        parts.transport.setPeers([:])
        parts.transport.setPeers(parts.book.dialTable())
    }

    func membershipChanged(_ membership: Membership) {
        isBoardStale = true
        parts.logger.notice(
            "membership changed",
            metadata: [
                "raft.voters": "\(membership.voters.listed)", "raft.learners": "\(membership.learners.listed)",
                "raft.outgoing": "\(membership.outgoing.listed)",
            ])
    }

    /// A member has applied the removal: notes on disk that this node belongs to the cluster no more, and only then ends it.
    func leave(_ how: String) {
        guard !isLeaving else { return }
        isLeaving = true
        // Nothing that its clients wait for will come here any more.
        giveUpOnEverybody()
        parts.logger.notice("removed from the cluster", metadata: ["reason": "\(how)"])
        let (store, failure, departure, node) = (parts.store, parts.failure, parts.departure, parts.node)
        parts.pool.run {
            do throws(StorageError) {
                try store.setRemoved()
                departure.fail(.removed(node))
            } catch {
                failure.fail(NodeFailure(storage: error))
            }
        }
    }
}

extension NodeFailure {
    /// No failure: what a node says last that was removed from its cluster.
    static func removed(_ node: NodeID) -> NodeFailure {
        NodeFailure(
            .success, cause: "node \(node) was removed from the cluster",
            remedy: "its id is never used again; an empty directory with --join makes a new node of this machine")
    }
}

extension [NodeID] {
    /// `1,2,3`
    fileprivate var listed: String { map { "\($0)" }.joined(separator: ",") }
}
