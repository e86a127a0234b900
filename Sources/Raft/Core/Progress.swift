/// What a leader knows of one other node, and how it sends to it.
///
/// - `probe`: where the logs meet is unknown (or was lost). One append at a time; the next leaves when it is answered,
///   or, without entries, after an answered heartbeat. Can transition to: `replicate` (an append was accepted),
///   `snapshot`.
/// - `replicate`: the logs meet. Appends leave as long as the window has room, `nextIndex` runs ahead of the answers.
///   Can transition to: `probe` (an append was rejected, the link broke), `snapshot`.
/// - `snapshot`: the node needs entries that are cut off; nothing is sent but heartbeats, while the shell sends it a
///   snapshot. Can transition to: `probe` (the snapshot was delivered, or failed), `replicate` (an acknowledgement shows
///   that it holds what it needs, by this snapshot or by other means).
struct Progress: Hashable, Sendable {
    let node: NodeID
    private(set) var mode: Status.Mode = .probe
    /// Everything up to here is durable there and equals the leader's log. `matchIndex < nextIndex`
    private(set) var matchIndex: LogIndex = .zero
    /// First entry of the next append.
    private(set) var nextIndex: LogIndex
    /// The highest commit index that it was told, as far as its log reaches.
    private(set) var sentCommit: LogIndex = .zero
    /// Somebody at the node waits until it knows that everything up to here is committed.
    private(set) var awaitedCommit: LogIndex = .zero
    private(set) var inflights: Inflights
    /// Probe: an append waits for its answer.
    private(set) var isProbeUnderWay = false
    /// A heartbeat of the timer is out whose answer allows one append without entries, whatever the window says:
    /// without it, a lost message at the end of the log or in a full window would never be noticed. (Heartbeats that
    /// reads cause do not count, or each would cost an append.)
    private var isNudgeArmed = false
    /// That answer has come.
    private var isNudged = false
    /// Time of the latest message of this term from the node.
    private(set) var lastHeard: MonotonicTime
    /// The highest round of heartbeats that it has answered.
    private(set) var ackedRound: UInt64 = 0
    /// A snapshot is on its way, or was delivered and not acknowledged: the log must keep what lies behind this index, so
    /// that the node can go on from there.
    private var awaitedSnapshot: LogIndex?
    /// Whether what it acknowledges counts; see `Message.mayVote`.
    var mayVote = true
    /// Of a learner: how fast it follows.
    var catchUp: CatchUp

    init(node: NodeID, nextIndex: LogIndex, configuration: Configuration, now: MonotonicTime) {
        self.node = node
        self.nextIndex = nextIndex
        self.lastHeard = now
        self.catchUp = CatchUp(target: nextIndex.previous, now: now)
        self.inflights = Inflights(
            maxMessages: configuration.maxInflightMessages, maxBytes: configuration.maxInflightBytes)
    }

    mutating func heard(at now: MonotonicTime) { lastHeard = now }

    mutating func awaitsCommit(of index: LogIndex) { awaitedCommit = max(awaitedCommit, index) }

    /// A heartbeat told it that everything up to here is committed.
    mutating func told(commit: LogIndex) { sentCommit = max(sentCommit, commit) }

    mutating func armNudge() { isNudgeArmed = true }

    mutating func heartbeatAnswered(round: UInt64) {
        ackedRound = max(ackedRound, round)
        if isNudgeArmed {
            isNudgeArmed = false
            isNudged = true
        }
    }

    /// Whether an append without entries is allowed now; the question uses the permission up.
    mutating func takeNudge() -> Bool {
        defer { isNudged = false }
        return isNudged
    }

    /// An append left; `lastIndex` is its last entry or, without entries, the one before it.
    mutating func sent(through lastIndex: LogIndex, bytes: Int, commit: LogIndex) {
        sentCommit = max(sentCommit, min(commit, lastIndex))
        switch mode {
        case .probe: isProbeUnderWay = true
        case .replicate:
            guard lastIndex >= nextIndex else { return }
            inflights.add(lastIndex: lastIndex, bytes: bytes)
            nextIndex = lastIndex.next
        case .snapshot: break
        }
    }

    /// It holds everything up to `matched`.
    ///
    /// - Parameter base: the last index that is cut off the leader's log.
    /// - Returns: whether that is news.
    mutating func accepted(through matched: LogIndex, base: LogIndex) -> Bool {
        let isNews = matched > matchIndex
        matchIndex = max(matchIndex, matched)
        nextIndex = max(nextIndex, matchIndex.next)
        if let awaited = awaitedSnapshot, mode != .snapshot, matchIndex >= awaited { awaitedSnapshot = nil }
        switch mode {
        case .replicate: inflights.free(through: matched)
        case .probe: if matched == matchIndex { becomeReplicate() }
        case .snapshot:
            guard matchIndex >= base else { break }
            awaitedSnapshot = nil
            becomeReplicate()
        }
        return isNews
    }

    /// It has no entry `previous`.
    ///
    /// - Parameter candidate: the last entry of the leader's log that can match, given the follower's hint.
    mutating func rejected(previous: LogIndex, candidate: LogIndex) {
        // Answers to older messages: what is known to match stays so.
        guard previous > matchIndex else { return }
        switch mode {
        case .replicate: becomeProbe()
        case .probe:
            guard previous == nextIndex.previous else { return }
            nextIndex = max(min(previous, candidate.next), matchIndex.next)
            isProbeUnderWay = false
        case .snapshot: break
        }
    }

    /// What was sent and not acknowledged may be lost: start again behind the last certain match.
    mutating func becomeProbe() {
        mode = .probe
        nextIndex = matchIndex.next
        sentCommit = min(sentCommit, matchIndex)
        isProbeUnderWay = false
        inflights.reset()
    }

    /// It came back, and may have lost what it acknowledged: where the logs meet is to be found out anew.
    mutating func forgotPromises(last: LogIndex) {
        matchIndex = .zero
        ackedRound = 0
        guard mode != .snapshot else { return }
        becomeProbe()
        nextIndex = last.next
    }

    /// Everything up to here the leader's log may lose, as far as this node is concerned.
    var dispensableIndex: LogIndex { max(matchIndex, awaitedSnapshot ?? .zero) }

    var isAwaitingSnapshot: Bool { awaitedSnapshot != nil }

    /// - Parameter base: the last index that is cut off the leader's log.
    mutating func becomeSnapshot(base: LogIndex) {
        mode = .snapshot
        awaitedSnapshot = base
        isProbeUnderWay = false
        isNudged = false
        inflights.reset()
    }

    /// Snapshot: it was delivered up to `index`, or failed (`nil`). Whether it is installed, the answer to the append will
    /// say that leaves after the next answered heartbeat.
    mutating func snapshotEnded(deliveredThrough index: LogIndex?) {
        guard mode == .snapshot else { return }
        becomeProbe()
        awaitedSnapshot = index
        nextIndex = max(nextIndex, (index ?? .zero).next)
        isProbeUnderWay = true
    }

    /// - Parameter last: the last index of the leader's log.
    func isInOrder(last: LogIndex) -> Bool {
        guard matchIndex < nextIndex, nextIndex <= last.next, inflights.count <= inflights.maxMessages else {
            return false
        }
        // Replicate: whatever was sent and not acknowledged is under way.
        return mode != .replicate || (inflights.lastIndex ?? matchIndex).next == nextIndex
    }

    private mutating func becomeReplicate() {
        mode = .replicate
        nextIndex = matchIndex.next
        isProbeUnderWay = false
        inflights.reset()
    }
}
