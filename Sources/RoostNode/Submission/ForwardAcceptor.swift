import Raft

/// Decides at a leader which forwarded segments enter its log: each origin's stream of the term, once and in order.
///
/// It remembers only the current term: a new leader starts all streams anew, and a segment of an older term is refused
/// by its term. See `Outbox` for the other end.
///
/// Pure: no clock, no I/O.
struct ForwardAcceptor {
    enum Verdict: Equatable {
        case accept
        /// It is in the log of this term already.
        case duplicate
        /// One before it is missing; its origin sends both again.
        case gap
        /// It was sent in another term than this leader's.
        case otherTerm
    }

    private struct Stream {
        var origin: NodeID
        /// Of the origin's process: a new process starts a new stream.
        var incarnation: UInt64
        var last: UInt64
    }

    private var term = Term.zero
    private var streams: [Stream] = []

    /// Judges, and on `.accept` takes note. The caller must then append it to the log of `leaderTerm`.
    mutating func judge(
        origin: NodeID, incarnation: UInt64, sentIn: Term, previous: UInt64, sequence: UInt64, leaderTerm: Term
    ) -> Verdict {
        guard sentIn == leaderTerm else { return .otherTerm }
        if term != leaderTerm {
            term = leaderTerm
            streams.removeAll(keepingCapacity: true)
        }
        guard let position = streams.firstIndex(where: { $0.origin == origin && $0.incarnation == incarnation }) else {
            guard previous == 0 else { return .gap }
            streams.removeAll { $0.origin == origin }
            streams.append(Stream(origin: origin, incarnation: incarnation, last: sequence))
            return .accept
        }
        if sequence <= streams[position].last { return .duplicate }
        guard previous == streams[position].last else { return .gap }
        streams[position].last = sequence
        return .accept
    }
}
