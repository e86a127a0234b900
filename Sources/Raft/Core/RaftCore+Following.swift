/// The follower's side of replication: Raft paper, section 5.3.
extension RaftCore {
    /// Accepts `node` as the leader of the present term, and puts the next election off.
    ///
    /// - Returns: `false` when the term has another leader, which must never be.
    mutating func follow(_ node: NodeID) -> Bool {
        if let known = leaderOfTerm, known != node {
            violate(.twoLeaders, "nodes \(known) and \(node) both lead term \(hardState.term)")
            return false
        }
        if role != .follower || leader != node {
            becomeFollower(in: hardState.term, leader: node)
        } else {
            heardLeaderAt = now
            restartElectionTimer()
        }
        if configuration.leaseReads { leasePromiseEnd = now.advanced(by: configuration.electionTimeout) }
        return true
    }

    mutating func append(_ entries: [Entry], after previous: EntryID, commit: LogIndex, from leader: NodeID) {
        if let flaw = flaw(in: entries, after: previous) { return misbehaved(leader, flaw) }
        // The log is about to be replaced, has no room, or runs away from the state machine; the leader will ask again.
        // (Answering appends without entries would make it send whole windows, each in vain.)
        guard installing == nil, !isDiskFull, !isBehindWithApplying else { return }
        askForCatchUpTarget(of: leader, again: false)
        let lastSent = LogIndex(previous.index.rawValue + UInt64(entries.count))
        // What is committed here is in every leader's log, so it needs no comparing.
        guard lastSent > log.commitIndex else {
            return promise(.appendAccepted(matched: log.commitIndex), to: leader, durable: log.commitIndex)
        }
        let skipped = Int(log.commitIndex.distance(from: previous.index))
        let start = skipped == 0 ? previous : entries[skipped - 1].id
        guard log.term(at: start.index) == start.term else {
            guard skipped == 0, start.index > log.commitIndex else { return violateCommitted(start, from: leader) }
            let hint = log.terms.lastPossibleMatch(with: previous)
            return send(.appendRejected(previous: previous.index, hint: hint), to: leader)
        }
        guard appendMissing(entries.dropFirst(skipped), from: leader) else { return }
        commitAsFollower(through: min(commit, lastSent))
        promise(.appendAccepted(matched: lastSent), to: leader, durable: lastSent)
    }

    /// Appends what follows the first entry that the log does not hold; its own entries from there on go.
    ///
    /// - Returns: `false` when nothing was appended because an entry is damaged or contradicts a committed one.
    private mutating func appendMissing(_ entries: ArraySlice<Entry>, from leader: NodeID) -> Bool {
        guard let first = entries.firstIndex(where: { log.term(at: $0.index) != $0.term }) else { return true }
        let missing = entries[first...]
        if let damaged = missing.first(where: { !$0.isIntact(in: configuration.group) }) {
            misbehaved(leader, "entry \(damaged.id) does not fit its checksum")
            return false
        }
        let conflict = entries[first].index
        if conflict <= log.lastIndex {
            guard conflict > log.commitIndex else {
                violateCommitted(entries[first].id, from: leader)
                return false
            }
            log.truncate(from: conflict)
            persistence.truncated(from: conflict)
        }
        for entry in missing { log.append(entry) }
        persistence.appended()
        return true
    }

    /// Why this cannot be a part of a leader's log; `nil` when it can.
    private func flaw(in entries: [Entry], after previous: EntryID) -> String? {
        guard previous.term <= hardState.term, previous.index.rawValue < UInt64.max - UInt64(entries.count) else {
            return "append after \(previous) in term \(hardState.term)"
        }
        var last = previous
        for entry in entries {
            guard entry.index == last.index.next, entry.term >= last.term, entry.term <= hardState.term else {
                return "entry \(entry.id) after \(last) in term \(hardState.term)"
            }
            last = entry.id
        }
        return nil
    }

    mutating func heardHeartbeat(commit: LogIndex, round: UInt64, truncatable: LogIndex, from leader: NodeID) {
        askForCatchUpTarget(of: leader, again: true)
        guard commit <= log.lastIndex || !mayVote else {
            // The leader only says what this node has acknowledged: it was lost since.
            return violate(
                .commitBeyondLog, "leader \(leader) counts on entry \(commit), the log ends at \(log.lastIndex)")
        }
        // What the leader believes to be here may have been lost by a node that is banned from voting, until it has answered.
        if mayVote { commitAsFollower(through: commit) }
        truncatableIndex = max(truncatableIndex, truncatable)
        send(.heartbeatResponse(round: round), to: leader)
    }

    private mutating func commitAsFollower(through index: LogIndex) {
        if index > log.commitIndex { commit(through: index) }
        liftVotingBan()
    }

    private mutating func violateCommitted(_ id: EntryID, from leader: NodeID) {
        violate(
            .committedEntryTruncated,
            "leader \(leader) has entry \(id), but everything up to \(log.commitIndex) is committed here")
    }
}
