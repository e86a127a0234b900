import ByteCoding
import Raft

/// The payloads of `.comparisonRequest` and `.comparisonReport` frames; all integers little-endian, `bytes` with a length
/// u32 before them:
///
/// ```
/// term u64 | round u64 | index u64 | detail u8 | max bytes u64 | chunk bytes u32 | first bytes | end bytes | alarm bytes
///
/// term u64 | round u64 | applied term u64 | has next u8 | next bytes | 0                          missed
///                                                                    | 1 | count u32 | digests
///                                                                    | 2 | count u32 | keys
/// digest: hash u64 | pairs u32
/// key:    hash u64 | key bytes
/// ```
extension ComparisonRequest {
    private static let fixedByteCount = 37 + 3 * 4

    var payloadByteCount: Int { Self.fixedByteCount + first.count + end.count + alarm.utf8.count }

    func encodePayload(into writer: inout ByteWriter) {
        writer.append(term.rawValue)
        writer.append(round)
        writer.append(index.rawValue)
        writer.append(detail.rawValue)
        writer.append(maxBytes)
        writer.append(chunkBytes)
        writer.appendLengthPrefixed(first)
        writer.appendLengthPrefixed(end)
        writer.appendLengthPrefixed(Bytes(alarm))
    }

    init(header: FrameHeader, decoding reader: inout ByteReader) throws(MalformedBytes) {
        let (term, round) = (Term(try reader.u64("term")), try reader.u64("round"))
        let index = LogIndex(try reader.u64("index"))
        guard let detail = Detail(rawValue: try reader.u8("detail")) else {
            throw MalformedBytes("detail", at: reader.offset)
        }
        let (maxBytes, chunkBytes) = (try reader.u64("max bytes"), try reader.u32("chunk bytes"))
        let (first, end) = (try reader.lengthPrefixed("first key"), try reader.lengthPrefixed("end key"))
        let alarm = try reader.lengthPrefixed("alarm")
        guard alarm.count <= Self.maxAlarmBytes else { throw MalformedBytes("alarm", at: reader.offset) }
        self.init(
            group: header.group, from: header.from, to: header.to, term: term, round: round, index: index,
            detail: detail, maxBytes: maxBytes, chunkBytes: chunkBytes, first: first, end: end, alarm: alarm.text)
    }
}

extension ComparisonReport {
    private static let fixedByteCount = 25 + 4 + 1

    var payloadByteCount: Int {
        let content =
            switch content {
            case .missed: 0
            case .digests(let digests): 4 + digests.count * 12
            case .keys(let keys): keys.reduce(4) { $0 + 12 + $1.key.count }
            }
        return Self.fixedByteCount + (next?.count ?? 0) + content
    }

    func encodePayload(into writer: inout ByteWriter) {
        writer.append(term.rawValue)
        writer.append(round)
        writer.append(appliedTerm.rawValue)
        writer.append(UInt8(next == nil ? 0 : 1))
        writer.appendLengthPrefixed(next ?? Bytes())
        switch content {
        case .missed: writer.append(UInt8(0))
        case .digests(let digests):
            writer.append(UInt8(1))
            writer.append(UInt32(digests.count))
            for digest in digests {
                writer.append(digest.hash)
                writer.append(digest.pairs)
            }
        case .keys(let keys):
            writer.append(UInt8(2))
            writer.append(UInt32(keys.count))
            for key in keys {
                writer.append(key.hash)
                writer.appendLengthPrefixed(key.key)
            }
        }
    }

    init(header: FrameHeader, decoding reader: inout ByteReader) throws(MalformedBytes) {
        let (term, round) = (Term(try reader.u64("term")), try reader.u64("round"))
        let appliedTerm = Term(try reader.u64("applied term"))
        let hasNext = try reader.u8("next")
        let next = try reader.lengthPrefixed("next key")
        guard hasNext == 1 || (hasNext == 0 && next.isEmpty) else { throw MalformedBytes("next", at: reader.offset) }
        let content: Content
        switch try reader.u8("content") {
        case 0: content = .missed
        case 1:
            // Memory is taken only for what has come.
            content = .digests(
                try Self.list(&reader) { (reader) throws(MalformedBytes) in
                    Digest(hash: try reader.u64("hash"), pairs: try reader.u32("pairs"))
                })
        case 2:
            content = .keys(
                try Self.list(&reader) { (reader) throws(MalformedBytes) in
                    let hash = try reader.u64("hash")
                    return Key(key: try reader.lengthPrefixed("key"), hash: hash)
                })
        default: throw MalformedBytes("content", at: reader.offset)
        }
        self.init(
            group: header.group, from: header.from, to: header.to, term: term, round: round, appliedTerm: appliedTerm,
            content: content, next: hasNext == 1 ? next : nil)
    }

    private static func list<Element>(
        _ reader: inout ByteReader, _ read: (inout ByteReader) throws(MalformedBytes) -> Element
    ) throws(MalformedBytes) -> [Element] {
        var elements: [Element] = []
        for _ in 0..<(try reader.u32("count")) { elements.append(try read(&reader)) }
        return elements
    }
}
