import ByteCoding
import KeyValue
import PeerTransport
import Raft

/// What a node says of a part of its state, made from its pairs as they come by. Pure: at the same applied index all
/// replicas make the same.
struct ComparisonSample {
    let request: ComparisonRequest
    /// The last key of each chunk, for the leader: where the chunks of others end as long as they are equal.
    private(set) var lastKeys: [Bytes] = []
    private(set) var bytes: UInt64 = 0
    private var digests: [ComparisonReport.Digest] = []
    private var keys: [ComparisonReport.Key] = []
    private var chunk = StateDigest()
    private var lastKey: Bytes?
    private var next: Bytes?

    init(_ request: ComparisonRequest) { self.request = request }

    /// Takes the next pair; false: enough, and the pair is one of the next part.
    mutating func add(_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool {
        guard bytes < request.maxBytes else {
            next = lastKey.map(Self.successor)
            return false
        }
        bytes += UInt64(key.count + value.count)
        let copy = Bytes(copying: key)
        lastKey = copy
        switch request.detail {
        case .keys:
            var digest = StateDigest()
            digest.add(key, value)
            keys.append(.init(key: copy, hash: digest.hash))
        case .digests:
            chunk.add(key, value)
            if chunk.bytes >= request.chunkBytes { closeChunk() }
        }
        return true
    }

    /// - Parameter applied: of the state that the pairs were of; nil or at another index: they are of no use.
    mutating func finish(by node: NodeID, applied: EntryID?) -> ComparisonReport {
        closeChunk()
        guard let applied, applied.index == request.index else { return Self.missed(request, by: node) }
        let content: ComparisonReport.Content =
            switch request.detail {
            case .digests: .digests(digests)
            case .keys: .keys(keys)
            }
        return Self.report(request, by: node, applied.term, content, next: next)
    }

    static func missed(_ request: ComparisonRequest, by node: NodeID) -> ComparisonReport {
        report(request, by: node, .zero, .missed, next: nil)
    }

    /// The first key behind `key`.
    static func successor(_ key: Bytes) -> Bytes { Bytes(key.array + [0]) }

    private mutating func closeChunk() {
        guard chunk.pairs > 0, let lastKey else { return }
        digests.append(.init(hash: chunk.hash, pairs: UInt32(clamping: chunk.pairs)))
        lastKeys.append(lastKey)
        chunk = StateDigest()
    }

    private static func report(
        _ request: ComparisonRequest, by node: NodeID, _ term: Term, _ content: ComparisonReport.Content, next: Bytes?
    ) -> ComparisonReport {
        ComparisonReport(
            group: request.group, from: node, to: request.from, term: request.term, round: request.round,
            appliedTerm: term, content: content, next: next)
    }
}
