import ByteCoding
import PeerTransport
import Raft

extension PeerIdentity {
    static func sample(
        _ node: UInt64, cluster: UInt64 = 77, name: String = "test", incarnation: UInt64 = 1000
    ) -> PeerIdentity {
        PeerIdentity(
            clusterID: cluster, clusterName: name, node: NodeID(node), incarnation: incarnation + node, hasData: true,
            advertisedRedis: "redis-\(node):6400", advertisedPeer: "peer-\(node):7400",
            advertisedHTTP: "http-\(node):8400")
    }
}

extension PeerMessage {
    static func heartbeat(_ round: UInt64, from: UInt64 = 1, to: UInt64 = 2) -> PeerMessage {
        .raft(
            Message(
                group: GroupID(1), from: NodeID(from), to: NodeID(to), term: Term(3),
                body: .heartbeat(commit: LogIndex(5), round: round, truncatable: .zero)))
    }

    /// An append with one entry of that many bytes, at index `index` + 1. Its checksum is any number: links carry it, the
    /// core judges it.
    static func append(_ index: UInt64, bytes: Int, from: UInt64 = 1, to: UInt64 = 2) -> PeerMessage {
        let entry = Entry(
            id: EntryID(term: Term(3), index: LogIndex(index + 1)), kind: .normal,
            payload: Bytes([UInt8](repeating: UInt8(truncatingIfNeeded: index), count: bytes)),
            checksum: UInt32(truncatingIfNeeded: index &* 0x9E37_79B9))
        return .raft(
            Message(
                group: GroupID(1), from: NodeID(from), to: NodeID(to), term: Term(3),
                body: .appendRequest(
                    previous: EntryID(term: Term(3), index: LogIndex(index)), entries: [entry], commit: .zero)))
    }

    static func forward(_ sequence: UInt64, bytes: Int = 10, from: UInt64 = 1, to: UInt64 = 2) -> PeerMessage {
        .forward(
            ForwardedSegment(
                group: GroupID(1), from: NodeID(from), to: NodeID(to), term: Term(3), incarnation: 9,
                previous: sequence - 1, sequence: sequence, segment: Bytes([UInt8](repeating: 7, count: bytes))))
    }

    /// Every kind of message once.
    static func everyKind(from: UInt64 = 1, to: UInt64 = 2) -> [PeerMessage] {
        let last = EntryID(term: Term(2), index: LogIndex(9))
        let token = ReadToken(incarnation: 4, count: 6)
        let bodies: [Message.Body] = [
            .preVoteRequest(last: last), .preVoteResponse(granted: true), .voteRequest(last: last, isTransfer: false),
            .voteRequest(last: last, isTransfer: true), .timeoutNow, .commitNotice(last),
            .voteResponse(granted: false), .appendAccepted(matched: LogIndex(8)),
            .appendRejected(previous: LogIndex(8), hint: last), .heartbeatResponse(round: 3),
            .readIndexRequest(token), .readIndexResponse(token, index: LogIndex(4)),
            .appendRequest(previous: last, entries: [], commit: LogIndex(1)),
        ]
        let messages = bodies.map { body in
            PeerMessage.raft(
                Message(group: GroupID(1), from: NodeID(from), to: NodeID(to), term: Term(3), body: body))
        }
        return messages + [heartbeat(1, from: from, to: to), append(1, bytes: 100, from: from, to: to)]
            + [forward(1, from: from, to: to), room(from: from, to: to, hasVerdict: false)]
            + [room(from: from, to: to, hasVerdict: true), comparisonRequest(from: from, to: to)]
            + comparisonReports(from: from, to: to)
    }

    static func comparisonRequest(from: UInt64, to: UInt64) -> PeerMessage {
        .comparisonRequest(
            ComparisonRequest(
                group: GroupID(1), from: NodeID(from), to: NodeID(to), term: Term(3), round: 4, index: LogIndex(5),
                detail: .keys, maxBytes: 6, chunkBytes: 7, first: Bytes("a"), end: Bytes("zz"), alarm: "node 9…"))
    }

    static func comparisonReports(from: UInt64, to: UInt64) -> [PeerMessage] {
        func report(_ content: ComparisonReport.Content, next: Bytes? = nil) -> PeerMessage {
            .comparisonReport(
                ComparisonReport(
                    group: GroupID(1), from: NodeID(from), to: NodeID(to), term: Term(3), round: 4,
                    appliedTerm: Term(2), content: content, next: next))
        }
        return [
            report(.missed),
            report(.digests([.init(hash: .max, pairs: 2), .init(hash: 1, pairs: 3)]), next: Bytes("m")),
            report(.keys([.init(key: Bytes("a"), hash: 1), .init(key: Bytes(), hash: 2)]), next: Bytes()),
        ]
    }

    static func room(from: UInt64, to: UInt64, hasVerdict: Bool) -> PeerMessage {
        let low = Room(
            node: NodeID(from), level: .low, freeBytes: 3, capacityBytes: 1 << 40, minFreeBytes: 5,
            criticalFreeBytes: 1)
        let full = Room(
            node: NodeID(9), level: .full, freeBytes: 0, capacityBytes: 8, minFreeBytes: 4, criticalFreeBytes: 2)
        let verdict = RoomVerdict(term: Term(3), admission: .freeing, tightest: full)
        return .room(
            RoomReport(
                group: GroupID(1), from: NodeID(from), to: NodeID(to), room: low, verdict: hasVerdict ? verdict : nil,
                settled: LogIndex(hasVerdict ? 7 : 0)))
    }

    var isBulk: Bool { lane == .bulk }
}
