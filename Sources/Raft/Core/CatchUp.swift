/// Whether a learner keeps up with the log, judged by rounds (Raft thesis, section 4.2.1): each round is everything that
/// the leader's log held when the round began. A round that ends within an election timeout shows that making the
/// learner a voter would not hold commits up.
struct CatchUp: Hashable, Sendable {
    private var target: LogIndex
    private var startedAt: MonotonicTime
    private var isDone = false

    init(target: LogIndex, now: MonotonicTime) {
        self.target = target
        startedAt = now
    }

    /// The learner holds everything up to `matched`.
    ///
    /// - Returns: whether it has caught up; true only once.
    mutating func reached(_ matched: LogIndex, last: LogIndex, now: MonotonicTime, limit: Duration) -> Bool {
        guard !isDone, matched >= target else { return false }
        // Nothing is missing: a new round would end at once.
        isDone = now.since(startedAt) <= limit || matched >= last
        target = last
        startedAt = now
        return isDone
    }
}
