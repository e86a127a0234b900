package import ByteCoding
package import Raft

/// What one node sends another. May be lost, but is never repeated, and arrives in order within its lane and connection.
package enum PeerMessage: Hashable, Sendable {
    case raft(Message)
    case forward(ForwardedSegment)
    case room(RoomReport)
    case comparisonRequest(ComparisonRequest)
    case comparisonReport(ComparisonReport)
}

/// A client segment on its way to the leader; its bytes are opaque here.
///
/// Only the leader of `term` accepts it, and only in order: `previous` is the sequence that it accepted before from this
/// process in this term.
package struct ForwardedSegment: Hashable, Sendable {
    package var group: GroupID
    package var from: NodeID
    package var to: NodeID
    /// The term of the leader that is meant; a leader of another term refuses.
    package var term: Term
    /// Of the sending process, made anew at each start.
    package var incarnation: UInt64
    /// The sequence sent before this one in this term, 0 for the first.
    package var previous: UInt64
    /// Counts the segments of the sending process from 1.
    package var sequence: UInt64
    package var segment: Bytes

    package init(
        group: GroupID, from: NodeID, to: NodeID, term: Term, incarnation: UInt64, previous: UInt64, sequence: UInt64,
        segment: Bytes
    ) {
        self.group = group
        self.from = from
        self.to = to
        self.term = term
        self.incarnation = incarnation
        self.previous = previous
        self.sequence = sequence
        self.segment = segment
    }
}

/// The two queues of a link. What is in `control` never waits behind what is in `bulk`.
package enum Lane: Sendable {
    /// Small and urgent: votes, heartbeats, acknowledgements, read indexes, the word to campaign now.
    case control
    /// Large or in need of the order among themselves.
    case bulk
}

extension PeerMessage {
    package var group: GroupID {
        switch self {
        case .raft(let message): message.group
        case .forward(let forwarded): forwarded.group
        case .room(let report): report.group
        case .comparisonRequest(let request): request.group
        case .comparisonReport(let report): report.group
        }
    }

    package var from: NodeID {
        switch self {
        case .raft(let message): message.from
        case .forward(let forwarded): forwarded.from
        case .room(let report): report.from
        case .comparisonRequest(let request): request.from
        case .comparisonReport(let report): report.from
        }
    }

    package var to: NodeID {
        switch self {
        case .raft(let message): message.to
        case .forward(let forwarded): forwarded.to
        case .room(let report): report.to
        case .comparisonRequest(let request): request.to
        case .comparisonReport(let report): report.to
        }
    }

    /// An append without entries is bulk too: it names the entry before it, so if it overtook the appends that carry that
    /// entry the follower would reject it, and the leader would fall back to probing for nothing.
    package var lane: Lane {
        switch self {
        case .forward, .comparisonReport: return .bulk
        // Before the entries behind the index that it names.
        case .room, .comparisonRequest: return .control
        case .raft(let message):
            switch message.body {
            case .appendRequest: return .bulk
            case .preVoteRequest, .preVoteResponse, .voteRequest, .voteResponse, .appendAccepted, .appendRejected,
                .heartbeat, .heartbeatResponse, .readIndexRequest, .readIndexResponse, .timeoutNow,
                .commitNotice:
                return .control
            }
        }
    }

    /// What the message counts against limits that are given in bytes; never less than its size on the wire.
    package var footprintBytes: Int {
        let flat = 128
        switch self {
        case .forward(let forwarded): return flat + forwarded.segment.count
        case .room(let report): return flat + report.payloadByteCount
        case .comparisonRequest(let request): return flat + request.payloadByteCount
        case .comparisonReport(let report): return flat + report.payloadByteCount
        case .raft(let message):
            guard case .appendRequest(_, let entries, _) = message.body else { return flat }
            return entries.reduce(flat) { $0 + $1.footprintBytes }
        }
    }
}
