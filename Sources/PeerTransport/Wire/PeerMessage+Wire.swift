import ByteCoding
import Raft

/// The payloads of the frames that carry messages.
///
/// `.raft` is a `Message` as its codec lays it out, `.room` is in `RoomReport+Wire`, `.comparison…` in
/// `Comparison+Wire`. `.forward`, all integers little-endian:
///
/// ```
/// 0      8             16         24         32
/// | term | incarnation | previous | sequence | segment ...
/// ```
extension PeerMessage {
    private static let forwardHeaderByteCount = 32

    var kind: FrameKind {
        switch self {
        case .raft: .raft
        case .forward: .forward
        case .room: .room
        case .comparisonRequest: .comparisonRequest
        case .comparisonReport: .comparisonReport
        }
    }

    /// Exactly how much `encodePayload` appends.
    var payloadByteCount: Int {
        switch self {
        case .raft(let message): message.encodedByteCount
        case .forward(let forwarded): Self.forwardHeaderByteCount + forwarded.segment.count
        case .room(let report): report.payloadByteCount
        case .comparisonRequest(let request): request.payloadByteCount
        case .comparisonReport(let report): report.payloadByteCount
        }
    }

    func encodePayload(into writer: inout ByteWriter) {
        switch self {
        case .raft(let message): message.encode(into: &writer)
        case .forward(let forwarded):
            writer.append(forwarded.term.rawValue)
            writer.append(forwarded.incarnation)
            writer.append(forwarded.previous)
            writer.append(forwarded.sequence)
            writer.append(forwarded.segment)
        case .room(let report): report.encodePayload(into: &writer)
        case .comparisonRequest(let request): request.encodePayload(into: &writer)
        case .comparisonReport(let report): report.encodePayload(into: &writer)
        }
    }

    /// Reads a payload; what the message says of itself must be what its frame says.
    init(header: FrameHeader, payload: Bytes) throws(FrameError) {
        var reader = ByteReader(payload)
        switch header.kind {
        case .raft:
            let message: Message
            do throws(MalformedBytes) {
                message = try Message(decoding: &reader)
            } catch { throw .malformed(error) }
            guard message.from == header.from, message.to == header.to, message.group == header.group else {
                throw .addresses(from: message.from, to: message.to)
            }
            self = .raft(message)
        case .forward:
            do throws(MalformedBytes) {
                self = .forward(
                    ForwardedSegment(
                        group: header.group, from: header.from, to: header.to, term: Term(try reader.u64("term")),
                        incarnation: try reader.u64("incarnation"), previous: try reader.u64("previous sequence"),
                        sequence: try reader.u64("sequence"), segment: try reader.run(reader.remaining, "segment")))
            } catch { throw .malformed(error) }
        case .room:
            do throws(MalformedBytes) {
                self = .room(try RoomReport(header: header, decoding: &reader))
            } catch { throw .malformed(error) }
        case .comparisonRequest:
            do throws(MalformedBytes) {
                self = .comparisonRequest(try ComparisonRequest(header: header, decoding: &reader))
            } catch { throw .malformed(error) }
        case .comparisonReport:
            do throws(MalformedBytes) {
                self = .comparisonReport(try ComparisonReport(header: header, decoding: &reader))
            } catch { throw .malformed(error) }
        case .ping, .pong, .refusal, .removed, .snapshotOffer, .snapshotAccept, .snapshotChunk, .snapshotAck,
            .snapshotEnd,
            .snapshotDone, .snapshotRefused:
            throw .unexpected(header.kind)
        }
        guard reader.isAtEnd else {
            throw .malformed(MalformedBytes("end of message", at: payload.count - reader.remaining))
        }
    }
}
