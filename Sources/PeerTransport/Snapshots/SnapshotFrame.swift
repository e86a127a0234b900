import ByteCoding
import Raft

/// What goes over the connection of a snapshot once both sides have agreed; the payloads of frames, all integers
/// little-endian.
///
/// ```
/// sender                                    receiver
///   offer   group u64 | term u64 | total u64 | metadata
///                                           accept   offset u64            (or done, or refused)
///   chunk   offset u64 | checksum u32 | bytes
///                                           ack      offset u64            all before it is written
///   ...
///   end     total u64
///                                           done                           (or refused: a sentence)
/// ```
///
/// The sender keeps at most a window of bytes that are not acknowledged under way. The receiver repeats its last ack while it
/// is busy, as a sign of life. A chunk that was acknowledged may come again and is ignored; a chunk must never leave a gap.
enum SnapshotFrame: Hashable, Sendable {
    case offer(group: GroupID, term: Term, totalBytes: UInt64, metadata: Bytes)
    case accept(offset: UInt64)
    case chunk(SnapshotChunk)
    case ack(offset: UInt64)
    case end(totalBytes: UInt64)
    case done
    case refused(String)

    /// What an offer takes besides its metadata.
    static let offerByteCount = 24

    var kind: FrameKind {
        switch self {
        case .offer: .snapshotOffer
        case .accept: .snapshotAccept
        case .chunk: .snapshotChunk
        case .ack: .snapshotAck
        case .end: .snapshotEnd
        case .done: .snapshotDone
        case .refused: .snapshotRefused
        }
    }

    /// The payload; a chunk is rather written by `SnapshotChunk.encodeHeader`, without a copy of its bytes.
    func encode() -> Bytes {
        var writer = ByteWriter()
        switch self {
        case .offer(let group, let term, let totalBytes, let metadata):
            writer.append(group.rawValue)
            writer.append(term.rawValue)
            writer.append(totalBytes)
            writer.append(metadata)
        case .accept(let offset), .ack(let offset): writer.append(offset)
        case .chunk(let chunk):
            chunk.encodeHeader(into: &writer)
            writer.append(chunk.bytes)
        case .end(let totalBytes): writer.append(totalBytes)
        case .done: break
        case .refused(let sentence): return HandshakeRecord.body(ofRefusal: Bytes(sentence))
        }
        return writer.take()
    }

    init(_ frame: Frame) throws(FrameError) {
        guard frame.header.flags.isEmpty else { throw .piece }
        var reader = ByteReader(frame.payload)
        do throws(MalformedBytes) {
            switch frame.header.kind {
            case .snapshotOffer:
                self = .offer(
                    group: GroupID(try reader.u64("group")), term: Term(try reader.u64("term")),
                    totalBytes: try reader.u64("snapshot size"), metadata: try reader.run(reader.remaining, "metadata"))
            case .snapshotAccept: self = .accept(offset: try reader.u64("offset"))
            case .snapshotChunk: self = .chunk(try SnapshotChunk(decoding: &reader))
            case .snapshotAck: self = .ack(offset: try reader.u64("offset"))
            case .snapshotEnd: self = .end(totalBytes: try reader.u64("snapshot size"))
            case .snapshotDone: self = .done
            case .snapshotRefused:
                self = .refused(HandshakeRecord.line(try reader.run(reader.remaining, "sentence")))
            case .raft, .forward, .room, .comparisonRequest, .comparisonReport, .ping, .pong, .refusal, .removed:
                throw MalformedBytes("frame kind", at: 5)
            }
            guard reader.isAtEnd else { throw MalformedBytes("end of frame", at: reader.offset) }
        } catch { throw .malformed(error) }
    }
}

/// A piece of a snapshot.
struct SnapshotChunk: Hashable, Sendable {
    static let headerByteCount = 12

    var offset: UInt64
    /// CRC-32C over offset and bytes, so that bytes in the wrong place are caught too.
    var checksum: UInt32
    /// Never empty.
    var bytes: Bytes

    init(offset: UInt64, bytes: Bytes) {
        self.offset = offset
        self.bytes = bytes
        checksum = Self.checksum(offset, bytes)
    }

    fileprivate init(decoding reader: inout ByteReader) throws(MalformedBytes) {
        offset = try reader.u64("chunk offset")
        checksum = try reader.u32("chunk checksum")
        let at = reader.offset
        bytes = try reader.run(reader.remaining, "chunk")
        guard !bytes.isEmpty, !offset.addingReportingOverflow(UInt64(bytes.count)).overflow else {
            throw MalformedBytes("chunk", at: at)
        }
    }

    /// The first offset after it.
    var end: UInt64 { offset + UInt64(bytes.count) }

    var isIntact: Bool { checksum == Self.checksum(offset, bytes) }

    func encodeHeader(into writer: inout ByteWriter) {
        writer.append(offset)
        writer.append(checksum)
    }

    private static func checksum(_ offset: UInt64, _ bytes: Bytes) -> UInt32 {
        var crc = CRC32C()
        crc.update(offset)
        crc.update(bytes)
        return crc.value
    }
}
