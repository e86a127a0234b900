/// A leader whose disk hangs or is full still sends heartbeats, and would keep its office for ever while nothing gets
/// done: so it looks at its own disk, and goes.
extension RaftCore {
    /// Whether the oldest write is overdue although a majority without this node could go on.
    var isDiskStalled: Bool {
        guard let since = persistence.oldestSince, now.since(since) > configuration.diskStallLimit else { return false }
        return Quorum.contains(membership) { node in
            node != configuration.node && matchIndex(of: node) > persistence.durableIndex
        }
    }

    mutating func stepDownForDisk() {
        if let heir = mostAdvancedVoter { send(.timeoutNow, to: heir) }
        becomeFollower(in: hardState.term, leader: nil)
    }

    mutating func diskIsFull(_ isFull: Bool) {
        isDiskFull = isFull
        handOverFullDisk()
    }

    /// Tries again with every heartbeat: others may have room by then.
    mutating func handOverFullDisk() {
        guard isDiskFull, role == .leader, transferTarget == nil, mostAdvancedVoter != nil else { return }
        requestTransfer(to: nil)
    }
}
