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
        parts.book.confirmsRemovals = core.isMembershipSettled || settledThrough >= lastChange
        guard !desk.isEmpty else { return }
        switch desk.next(deskView()) {
        case .propose(let token, let change)?:
            Failpoint.memberBeforePropose.reach()
            core.step(.membershipChangeProposed(token, change), at: now)
        case .transfer(let target)?:
            Failpoint.transferBefore.reach()
            core.step(.transferRequested(to: target), at: now)
        case nil: break
        }
    }

    /// After the effects: what they settled is settled.
    func answerDesk() {
        if core.role != .leader { desk.leadershipLost() }
        for (ticket, answer) in desk.takeAnswers() { deskCallers.removeValue(forKey: ticket)?(answer) }
    }

    private func deskView() -> DeskView {
        let status = core.status
        var lag: [NodeID: UInt64] = [:]
        for peer in status.peers where peer.isActive {
            lag[peer.node] = status.lastIndex.distance(from: peer.matchIndex)
        }
        return DeskView(
            node: parts.node, isLeader: status.role == .leader, isSettled: core.isMembershipSettled,
            membership: status.membership, directory: parts.book.directory, lag: lag, contacts: parts.book.contacts())
    }

    func transferEnded(_ outcome: TransferOutcome) {
        Failpoint.transferAfter.reach()
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
    ///
    /// - Parameter index: no change of them stands behind it.
    func adopt(_ cluster: ClusterPosition, at index: LogIndex) {
        // Two readers of the same entries must come to the same.
        guard cluster.membership == core.membership else {
            return parts.failure.fail(
                NodeFailure(
                    violation: InvariantViolation(
                        rule: "membership-differs",
                        detail: "the core has \(core.membership), the state machine \(cluster.membership)")))
        }
        lastChange = index
        parts.book.update(cluster.membership, cluster.directory)
        let (store, failure) = (parts.store, parts.failure)
        parts.pool.run {
            do throws(StorageError) {
                try store.noteMembership(cluster.membership)
            } catch {
                failure.fail(NodeFailure(storage: error))
            }
        }
        parts.transport.setPeers(parts.book.dialTable())
        nextFarewell = SystemClock.monotonic().advanced(by: limits.farewellTime)
        beginToLeaveIfRemoved()
    }

    /// A quorum will not forget the changes up to `index`: whoever was removed may go, and be told so.
    func membershipSettled(through index: LogIndex) {
        desk.settled(through: index)
        parts.book.confirmsRemovals = true
        isRoomReportDue = true
        if parts.book.standing(of: parts.node) == .removed { return leave("the others know it") }
        sayFarewell()
    }

    /// From now on those who were removed are not dialled any more, and their links are closed: they knock, and are told.
    func sayFarewell() {
        nextFarewell = nil
        if parts.book.sayFarewell() { parts.transport.setPeers(parts.book.dialTable()) }
    }

    /// The log says that this node was removed. It goes when a leader says so too: until a quorum knows that the change
    /// is committed, the others may still count with its vote, or lack nothing but its word (`Message.Body.commitNotice`).
    /// If it leads, it leads on until then (`membershipSettled`).
    func beginToLeaveIfRemoved() {
        guard nextKnock == nil, !isLeaving, core.role != .leader, parts.book.standing(of: parts.node) == .removed else {
            return
        }
        parts.logger.notice("removed from the cluster; waiting for its leader to confirm it")
        // Nothing that its clients wait for will come here any more.
        giveUpOnEverybody()
        nextKnock = SystemClock.monotonic().advanced(by: limits.knockInterval)
    }

    /// Dials the members again: a leader that knows the removal to be settled says so in the handshake.
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

    /// The removal is settled: notes on disk that this node belongs to the cluster no more, and only then ends it.
    func leave(_ how: String) {
        guard !isLeaving else { return }
        (isLeaving, nextKnock) = (true, nil)
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
