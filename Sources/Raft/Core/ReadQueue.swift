import DequeModule

/// Reads that wait for a read index (Raft thesis, section 6.4), and the rounds of heartbeats that confirm leadership.
///
/// A round is a number that heartbeats carry and answers repeat. A read is confirmed by the first round that started
/// after it arrived: a quorum that still follows this leader then proves that nobody committed behind its back before.
/// One round is under way at a time; reads that arrive meanwhile share the next.
struct ReadQueue: Hashable, Sendable {
    struct Request: Hashable, Sendable {
        var token: ReadToken
        /// The follower that asked; `nil`: this node.
        var follower: NodeID?
        /// What this node knew to be committed when the read came: its index is not below.
        var floor: LogIndex
    }

    private struct Waiting: Hashable, Sendable {
        var request: Request
        var index: LogIndex
        var round: UInt64
    }

    struct Start: Hashable, Sendable {
        var round: UInt64
        var at: MonotonicTime
    }

    private struct Forwarded: Hashable, Sendable {
        var token: ReadToken
        var deadline: MonotonicTime
    }

    /// Leader: the latest round that was started; 0 before the first of a leadership.
    private(set) var round: UInt64 = 0
    /// Leader: the latest round that a quorum has answered.
    private(set) var confirmedRound: UInt64 = 0
    /// Leader: when the rounds from `confirmedRound` to `round` started, ascending.
    private(set) var starts: Deque<Start> = []
    /// Leader: came before an entry of the term was committed, so the commit index says nothing yet.
    private(set) var awaitingCommit: [Request] = []
    /// Leader: ascending by round.
    private var waiting: Deque<Waiting> = []
    /// Follower: asked of the leader, ascending by deadline.
    private var forwarded: Deque<Forwarded> = []

    // MARK: Leader

    /// Whether reads wait for a round that has not started.
    var isRoundWanted: Bool { waiting.last.map { $0.round > round } ?? false }

    /// Whether a round should start now: the one before is confirmed.
    var isRoundDue: Bool { isRoundWanted && confirmedRound == round }

    /// When the latest round started that a quorum has answered; `nil`: none has been.
    var confirmedStart: MonotonicTime? { confirmedRound > 0 ? starts.first?.at : nil }

    mutating func startRound(at now: MonotonicTime) {
        round += 1
        starts.append(Start(round: round, at: now))
    }

    mutating func awaitCommit(_ request: Request) { awaitingCommit.append(request) }

    mutating func takeAwaitingCommit() -> [Request] {
        defer { awaitingCommit = [] }
        return awaitingCommit
    }

    /// Queues a read whose index is the commit index of this moment.
    mutating func awaitRound(_ request: Request, index: LogIndex) {
        waiting.append(Waiting(request: request, index: index, round: round + 1))
    }

    mutating func confirmed(_ round: UInt64) {
        confirmedRound = max(confirmedRound, round)
        while let oldest = starts.first, oldest.round < confirmedRound { starts.removeFirst() }
    }

    mutating func popConfirmed() -> (request: Request, index: LogIndex)? {
        guard let first = waiting.first, first.round <= confirmedRound else { return nil }
        waiting.removeFirst()
        return (first.request, first.index)
    }

    // MARK: Follower

    var firstForwardedDeadline: MonotonicTime { forwarded.first?.deadline ?? .never }

    mutating func forward(_ token: ReadToken, deadline: MonotonicTime) {
        forwarded.append(Forwarded(token: token, deadline: deadline))
    }

    /// - Returns: whether the token was waited for.
    mutating func takeForwarded(_ token: ReadToken) -> Bool {
        guard let position = forwarded.firstIndex(where: { $0.token == token }) else { return false }
        forwarded.remove(at: position)
        return true
    }

    mutating func popForwarded(dueAt now: MonotonicTime) -> ReadToken? {
        guard let first = forwarded.first, first.deadline <= now else { return nil }
        return forwarded.removeFirst().token
    }

    // MARK: End

    /// Takes everything that waits, and forgets the rounds: they belong to a leadership.
    mutating func takeAll() -> [Request] {
        let all =
            awaitingCommit + waiting.map(\.request)
            + forwarded.map { Request(token: $0.token, follower: nil, floor: .zero) }
        self = ReadQueue()
        return all
    }
}
