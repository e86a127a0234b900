/// The leader's side of replication: Raft paper, section 5.3 and 5.4.2; Raft thesis, section 10.2.1 and 10.2.2.
///
/// Any order of messages is safe, but appends to one follower should keep theirs, those without entries included: one
/// that overtakes the entries it counts on is rejected, and the leader probes and sends them again.
extension RaftCore {
    // MARK: Heartbeats

    mutating func heartbeatIsDue() {
        if configuration.checkQuorum, !hasActiveQuorum { return becomeFollower(in: hardState.term, leader: nil) }
        if isDiskStalled { return stepDownForDisk() }
        repeatTransfer()
        handOverFullDisk()
        for position in peers.indices { peers[position].armNudge() }
        broadcastTimedHeartbeat()
    }

    mutating func broadcastTimedHeartbeat() {
        leadership.heartbeatDeadline = now.advanced(by: configuration.heartbeatInterval)
        // Reads that wait for the next round take this chance; else it repeats the present one, which may be lost.
        // A lease is renewed by every heartbeat.
        if reads.isRoundWanted || configuration.leaseReads { reads.startRound(at: now) }
        broadcastHeartbeat()
        confirmReads()  // A configuration of this node alone has nobody to wait for.
    }

    mutating func broadcastHeartbeat() {
        truncatableIndex = max(truncatableIndex, truncationLimit)
        for position in peers.indices {
            let commit = min(peers[position].matchIndex, log.commitIndex)
            send(
                .heartbeat(commit: commit, round: reads.round, truncatable: truncatableIndex),
                to: peers[position].node)
            // One without a vote does not take it from heartbeats.
            if configuration.defersCommitNotices, peers[position].mayVote { peers[position].told(commit: commit) }
        }
    }

    mutating func heartbeatAnswered(round: UInt64, by sender: Int) {
        guard round <= reads.round else {
            return misbehaved(peers[sender].node, "answer to heartbeat round \(round) of \(reads.round)")
        }
        peers[sender].heard(at: now)
        peers[sender].heartbeatAnswered(round: round)
        confirmReads()
    }

    /// Whether a quorum was heard within the election timeout.
    private var hasActiveQuorum: Bool {
        Quorum.contains(membership) { node in
            node == configuration.node || position(of: node).map { isActive(peers[$0]) && counts(peers[$0]) } ?? false
        }
    }

    func isActive(_ peer: Progress) -> Bool { now.since(peer.lastHeard) <= configuration.electionTimeout }

    // MARK: Commit

    /// Commits what a quorum holds durably, if it ends with an entry of this term (Raft paper, figure 8).
    mutating func advanceCommit() {
        let reached = LogIndex(Quorum.reached(in: membership) { matchIndex(of: $0).rawValue })
        guard reached > log.commitIndex, log.term(at: reached) == hardState.term else { return }
        commit(through: reached)
    }

    /// Moves the commit index, on leaders and followers.
    mutating func commit(through index: LogIndex) {
        if role == .leader {
            guard log.term(at: index) == hardState.term else {
                let term = log.term(at: index)?.description ?? "none"
                return violate(.commitInTerm, "commit of \(index), of term \(term), in term \(hardState.term)")
            }
            leadership.uncommittedBytes -= log.proposedBytes(from: log.commitIndex.next, through: index)
        }
        log.commit(through: index)
        proposals.resolve(with: log, into: &effects)
        guard role == .leader else { return }
        admitReadsAwaitingCommit()
        settle()
    }

    /// What a voter is known to hold durably; this node's own disk counts no earlier than others'.
    func matchIndex(of node: NodeID) -> LogIndex {
        if node == configuration.node { return persistence.durableIndex }
        guard let position = position(of: node), counts(peers[position]) else { return .zero }
        return peers[position].matchIndex
    }

    /// Whether what a node acknowledges counts. Of one that may have forgotten what it promised, only where no election can
    /// have taken place behind this leader's back, because every quorum needs this leader.
    func counts(_ peer: Progress) -> Bool { peer.mayVote || membership.isInEveryQuorum(configuration.node) }

    // MARK: Answers

    mutating func appendAccepted(through matched: LogIndex, by sender: Int) {
        guard matched <= log.lastIndex else {
            return misbehaved(
                peers[sender].node, "acknowledged entry \(matched), but the log ends at \(log.lastIndex)")
        }
        let node = peers[sender].node
        peers[sender].heard(at: now)
        guard peers[sender].accepted(through: matched, base: log.base.index) else { return }
        advanceCommit()
        // The commit may have ended this leadership or moved the peers.
        noteCatchUp(of: node)
        askToCampaign(node)
    }

    mutating func appendRejected(previous: LogIndex, hint: EntryID, by sender: Int) {
        peers[sender].heard(at: now)
        peers[sender].rejected(previous: previous, candidate: log.terms.lastPossibleMatch(with: hint).index)
    }

    /// The link broke: better to ask where the logs meet than to wait for answers.
    mutating func unreachable(_ node: NodeID) {
        // A snapshot goes over a connection of its own, and reports its own end.
        if role == .leader, let peer = position(of: node), peers[peer].mode == .replicate { peers[peer].becomeProbe() }
        if leader == node { failForwardedReads() }
    }

    // MARK: Sending

    /// Sends what each follower may have now. Entries leave beside the leader's own write of them.
    mutating func flushAppends(known: inout EntrySlice?) {
        for position in peers.indices {
            let isNudged = peers[position].takeNudge()
            switch peers[position].mode {
            case .probe: flushProbe(to: position, isNudged: isNudged, known: &known)
            case .replicate: flushReplicate(to: position, isNudged: isNudged, known: &known)
            case .snapshot: break
            }
        }
    }

    private mutating func flushProbe(to position: Int, isNudged: Bool, known: inout EntrySlice?) {
        if peers[position].isProbeUnderWay {
            if isNudged { sendAppend([], bytes: 0, to: position) }
        } else if peers[position].nextIndex <= log.lastIndex, peers[position].nextIndex >= log.firstCachedIndex {
            sendCached(to: position, known: &known)
        } else if peers[position].matchIndex < log.lastIndex || isNudged {
            sendAppend([], bytes: 0, to: position)
        }
    }

    private mutating func flushReplicate(to position: Int, isNudged: Bool, known: inout EntrySlice?) {
        var isSent = false
        while peers[position].nextIndex <= log.lastIndex, !peers[position].inflights.isFull {
            guard peers[position].nextIndex >= log.firstCachedIndex else {
                if log.term(at: peers[position].nextIndex.previous) == nil { return requestSnapshot(for: position) }
                fetch(for: position)
                break
            }
            sendCached(to: position, known: &known)
            isSent = true
        }
        guard !isSent else { return }
        let isCommitNews =
            min(log.commitIndex, peers[position].nextIndex.previous) > peers[position].sentCommit
            && mustHearOfCommits(peers[position])
        // One without a vote does not take the commit index from heartbeats.
        let mayBeLost = isNudged && (peers[position].matchIndex < log.lastIndex || !peers[position].mayVote)
        if isCommitNews || mayBeLost { sendAppend([], bytes: 0, to: position) }
    }

    /// Whether a follower is told of commits at once, not only with the next entries or heartbeat.
    private func mustHearOfCommits(_ peer: Progress) -> Bool {
        guard configuration.defersCommitNotices, peer.mayVote else { return true }
        let settling = max(
            leadership.firstIndex, leadership.pendingMembershipIndex, leadership.settlingIndex, peer.awaitedCommit)
        return peer.sentCommit < settling
    }

    mutating func awaitCommit(of index: LogIndex, by node: NodeID) {
        guard role == .leader, let position = position(of: node) else { return }
        peers[position].awaitsCommit(of: index)
    }

    private mutating func sendCached(to position: Int, known: inout EntrySlice?) {
        let slice = log.slice(
            from: peers[position].nextIndex, through: log.lastIndex, maxBytes: configuration.maxAppendBytes,
            known: known)
        known = slice
        sendAppend(slice.entries, bytes: slice.bytes, to: position)
    }

    /// Tells a follower the commit index, as far as its log reaches.
    mutating func sendCommit(to position: Int) { sendAppend([], bytes: 0, to: position) }

    /// Sends entries that start at the peer's `nextIndex`, or none.
    private mutating func sendAppend(_ entries: [Entry], bytes: Int, to position: Int) {
        let previous = peers[position].nextIndex.previous
        guard let term = log.term(at: previous) else { return requestSnapshot(for: position) }
        send(
            .appendRequest(
                previous: EntryID(term: term, index: previous), entries: entries, commit: log.commitIndex),
            to: peers[position].node)
        peers[position].sent(
            through: LogIndex(previous.rawValue + UInt64(entries.count)), bytes: bytes, commit: log.commitIndex)
    }

    // MARK: Entries that are not in memory

    private mutating func fetch(for position: Int) {
        let follower = peers[position].node
        guard !openFetches.contains(where: { $0.follower == follower }) else { return }
        let request = FetchRequest(
            group: configuration.group, follower: follower, from: peers[position].nextIndex,
            through: log.firstCachedIndex.previous, maxBytes: configuration.maxAppendBytes)
        openFetches.append(request)
        effects.append(.fetch(request))
    }

    mutating func fetched(_ request: FetchRequest, _ entries: [Entry]) {
        guard let open = openFetches.firstIndex(of: request) else { return }
        openFetches.remove(at: open)
        guard role == .leader, let position = position(of: request.follower), peers[position].mode == .replicate,
            peers[position].nextIndex == request.from
        else { return }
        // Asked for in an earlier leadership, they may have been overwritten since. Equal terms prove equal entries.
        guard areInLog(entries, from: request.from) else { return peers[position].becomeProbe() }
        sendAppend(entries, bytes: entries.reduce(0) { $0 + $1.footprintBytes }, to: position)
    }

    private func areInLog(_ entries: [Entry], from first: LogIndex) -> Bool {
        var expected = first
        for entry in entries {
            guard entry.index == expected, log.term(at: expected) == entry.term else { return false }
            expected = expected.next
        }
        return !entries.isEmpty
    }
}
