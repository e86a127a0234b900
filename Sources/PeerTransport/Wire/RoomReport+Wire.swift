import ByteCoding
import Raft

/// The payload of a `.room` frame; all integers little-endian:
///
/// ```
/// settled u64 | room | 0
/// settled u64 | room | 1 | term u64 | admission u8 | tightest room         from a leader
/// room: node u64 | level u8 | free u64 | capacity u64 | min free u64 | critical free u64
/// ```
extension RoomReport {
    private static let roomByteCount = 41
    private static let verdictByteCount = 9 + roomByteCount

    var payloadByteCount: Int { 8 + Self.roomByteCount + 1 + (verdict == nil ? 0 : Self.verdictByteCount) }

    func encodePayload(into writer: inout ByteWriter) {
        writer.append(settled.rawValue)
        room.encode(into: &writer)
        guard let verdict else { return writer.append(UInt8(0)) }
        writer.append(UInt8(1))
        writer.append(verdict.term.rawValue)
        writer.append(verdict.admission.rawValue)
        verdict.tightest.encode(into: &writer)
    }

    init(header: FrameHeader, decoding reader: inout ByteReader) throws(MalformedBytes) {
        let settled = LogIndex(try reader.u64("settled"))
        let room = try Room(decoding: &reader)
        var verdict: RoomVerdict?
        switch try reader.u8("verdict") {
        case 0: break
        case 1:
            let term = Term(try reader.u64("term"))
            guard let admission = RoomVerdict.Admission(rawValue: try reader.u8("admission")) else {
                throw MalformedBytes("admission", at: reader.offset)
            }
            verdict = RoomVerdict(term: term, admission: admission, tightest: try Room(decoding: &reader))
        default: throw MalformedBytes("verdict", at: reader.offset)
        }
        self.init(group: header.group, from: header.from, to: header.to, room: room, verdict: verdict, settled: settled)
    }
}

extension Room {
    fileprivate func encode(into writer: inout ByteWriter) {
        writer.append(node.rawValue)
        writer.append(level.rawValue)
        for number in [freeBytes, capacityBytes, minFreeBytes, criticalFreeBytes] { writer.append(number) }
    }

    fileprivate init(decoding reader: inout ByteReader) throws(MalformedBytes) {
        let node = NodeID(try reader.u64("node"))
        guard let level = Level(rawValue: try reader.u8("level")) else {
            throw MalformedBytes("level", at: reader.offset)
        }
        self.init(
            node: node, level: level, freeBytes: try reader.u64("free bytes"),
            capacityBytes: try reader.u64("capacity"), minFreeBytes: try reader.u64("least free bytes"),
            criticalFreeBytes: try reader.u64("critical free bytes"))
    }
}
