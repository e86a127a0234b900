/// Snapshots for those whose entries are cut off: Raft paper, section 7. The data travels outside of the core.
extension RaftCore {
    // MARK: Leader

    mutating func requestSnapshot(for position: Int) {
        let node = peers[position].node
        peers[position].becomeSnapshot(base: log.base.index)
        guard !openSnapshots.contains(node) else { return }
        openSnapshots.append(node)
        effects.append(.sendSnapshot(to: node))
    }

    mutating func snapshotReported(_ report: SnapshotReport, by node: NodeID) {
        openSnapshots.removeAll { $0 == node }
        guard role == .leader, let peer = position(of: node) else { return }
        switch report {
        case .delivered(let index): peers[peer].snapshotEnded(deliveredThrough: index)
        case .failed: peers[peer].snapshotEnded(deliveredThrough: nil)
        }
    }

    // MARK: Follower

    /// What a leader of any term has committed stays committed, so a snapshot is never too old to be true, only useless.
    mutating func snapshotReceived(_ meta: SnapshotMeta, from sender: NodeID, term: Term) {
        guard meta.id.term <= .highest, term <= .highest else {
            effects.append(.discardSnapshot(meta))
            return misbehaved(sender, "snapshot \(meta.id) in term \(term)")
        }
        // The transfer may have outlived the leadership in which it was asked for, and may hold entries of later ones: so
        // its sender is not followed, and the log never reaches beyond the term.
        let latest = max(term, meta.id.term)
        if latest > hardState.term { becomeFollower(in: latest, leader: nil) }
        if installing == meta { return }  // It came twice.
        guard role != .leader, installing == nil, meta.index > log.commitIndex else {
            effects.append(.discardSnapshot(meta))
            return acknowledgeSnapshot()
        }
        if log.term(at: meta.index) == meta.id.term {
            // The log has all of it, and maybe more that is acknowledged: only the news of the commit was missing.
            commit(through: meta.index)
            effects.append(.discardSnapshot(meta))
            return acknowledgeSnapshot()
        }
        if role != .follower { becomeFollower(in: hardState.term, leader: nil) }
        installing = meta
        effects.append(.installSnapshot(meta))
    }

    mutating func snapshotInstalled(_ meta: SnapshotMeta) {
        guard installing == meta else {
            return violate(.snapshotUnknown, "snapshot \(meta.id) was installed, but never asked for")
        }
        installing = nil
        log = Log(after: meta.id)
        persistence.replaced(through: meta.index)
        proposals.resolve(with: log, into: &effects)
        adopt(meta.membership)
        liftVotingBan()
        acknowledgeSnapshot()
    }

    /// The leader's own count of a snapshot ends with this, not with the last byte.
    private mutating func acknowledgeSnapshot() {
        guard role == .follower, installing == nil, let leader else { return }
        promise(.appendAccepted(matched: log.commitIndex), to: leader, durable: log.commitIndex)
    }
}
