import Logging
import PeerTransport
import Raft

/// Room on disks: what this node's means for the core, and what all of them mean for clients' writes.
///
/// Every node tells the others about its disk. The leader alone decides which writes are taken, and tells them with the
/// same message; their doors refuse what is not. That is a matter of service, not of safety: a write that slips through
/// is a write like any other.
extension Consensus {
    /// The watch has looked at the disk: comes once a second, and when the level changes.
    func roomMeasured(_ room: Room, at now: MonotonicTime) {
        let isFull = room.level == .full
        if isFull != isDiskFull {
            isDiskFull = isFull
            core.step(.diskFull(isFull), at: now)
        }
        rooms.measured(room)
        isRoomReportDue = true
        if parts.space.isPressed { cutLogHarder() }
    }

    func heard(_ report: RoomReport) {
        settledThrough = max(settledThrough, report.settled)
        if rooms.heard(report.room) { isRoomNews = true }
        guard let verdict = report.verdict, report.from == core.leader, verdict.term == core.term else { return }
        adopt(verdict)
    }

    /// Judges anew if something may have changed, and tells the others. Until a new leader has spoken, the word of the one
    /// before it holds.
    func judgeRoom(at now: MonotonicTime) {
        guard isRoomReportDue || isRoomNews else { return }
        let status = core.status
        let before = lastVerdict?.admission
        let verdict = judge(status)
        if let verdict { adopt(verdict) }
        if isRoomReportDue || (verdict != nil && verdict?.admission != before) { tellRoom(verdict, status) }
        handOverForRoom(status, at: now)
        (isRoomReportDue, isRoomNews) = (false, false)
    }

    private func judge(_ status: Status) -> RoomVerdict? {
        rooms.keepOnly(status.membership.all)
        guard status.role == .leader else { return nil }
        let active = status.peers.filter(\.isActive).map(\.node)
        return rooms.verdict(status.membership, active: active, term: status.term)
    }

    private func adopt(_ verdict: RoomVerdict) {
        let (old, new, room) = (lastVerdict?.admission ?? .all, verdict.admission, verdict.tightest)
        lastVerdict = verdict
        parts.space.adopt(verdict)
        guard old != new else { return }
        let metadata: Logger.Metadata = [
            "disk.node": "\(room.node)", "disk.free": "\(ByteSize.rounded(room.freeBytes))",
            "disk.capacity": "\(ByteSize.rounded(room.capacityBytes))",
        ]
        switch new {
        case .all: parts.logger.notice("the cluster takes all writes again", metadata: metadata)
        case .freeing:
            parts.logger.warning(
                "the cluster takes only writes that free room: no majority has any", metadata: metadata)
        case .none: parts.logger.error("the cluster takes no writes: no majority has room", metadata: metadata)
        }
    }

    private func tellRoom(_ verdict: RoomVerdict?, _ status: Status) {
        guard let room = rooms.own else { return }
        let settled = core.isMembershipSettled ? core.appliedIndex : .zero
        let messages = status.membership.all.filter { $0 != parts.node }.map { node in
            PeerMessage.room(
                RoomReport(
                    group: parts.group, from: parts.node, to: node, room: room, verdict: verdict, settled: settled))
        }
        if !messages.isEmpty { parts.transport.send(messages) }
    }

    /// A leader that is low on room hands over to a member that is not; a full one does so by itself
    /// (`RaftCore.handOverFullDisk`). Where nobody takes it, it goes on, and tries again after a while.
    private func handOverForRoom(_ status: Status, at now: MonotonicTime) {
        guard status.role == .leader, status.transferTarget == nil, !isDiskFull,
            now >= (lastRoomTransfer?.advanced(by: limits.roomTransferInterval) ?? .zero),
            let heir = rooms.heir(
                status.membership, active: status.peers.filter(\.isActive).map { ($0.node, $0.matchIndex) })
        else { return }
        lastRoomTransfer = now
        parts.logger.notice("handing leadership over: this disk is low on space", metadata: ["peer.id": "\(heir)"])
        core.step(.transferRequested(to: heir), at: now)
    }

    // MARK: - The log

    /// How far the log may go when room is short: what only members that are away lack is no reason to keep it any
    /// more, as they can get a snapshot.
    var dispensableIndex: LogIndex {
        let status = core.status
        guard parts.space.picture.map({ $0.level > .ample }) ?? false, status.role == .leader else {
            return core.truncatableIndex
        }
        let active = status.peers.filter(\.isActive)
        guard active.allSatisfy({ $0.mode != .snapshot }) else { return core.truncatableIndex }
        return max(core.truncatableIndex, active.map(\.matchIndex).min() ?? status.durableIndex)
    }

    private func cutLogHarder() { if lastDurableState > truncated { truncateLog(durable: lastDurableState) } }
}
