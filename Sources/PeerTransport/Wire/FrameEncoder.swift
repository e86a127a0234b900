import ByteCoding
import Raft

/// Turns the messages for one peer into frames, cutting those that are too large for one.
struct FrameEncoder: Sendable {
    let cluster: UInt64
    let from: NodeID
    let to: NodeID
    /// The largest frame that both sides take, header included.
    let maxFrameBytes: Int
    /// How many frames were made so far.
    private(set) var frames: UInt64 = 0
    /// A large message of which the last pieces are still to be sent.
    private var partial: Partial?

    private struct Partial: Sendable {
        var kind: FrameKind
        var group: GroupID
        var payload: Bytes
        /// How much of `payload` is sent.
        var sent: Int
    }

    init(cluster: UInt64, from: NodeID, to: NodeID, maxFrameBytes: Int) {
        self.cluster = cluster
        self.from = from
        self.to = to
        self.maxFrameBytes = maxFrameBytes
    }

    /// Whether `encodePiece` has something to do. Until it hasn't, no other message that needs cutting may begin.
    var hasPartial: Bool { partial != nil }

    /// Appends the message as one frame, or keeps it for `encodePiece` if it is larger than that.
    ///
    /// - Precondition: not `hasPartial`, unless the message fits in one frame.
    mutating func encode(_ message: PeerMessage, into writer: inout ByteWriter) {
        let payloadByteCount = message.payloadByteCount
        if FrameHeader.byteCount + payloadByteCount <= maxFrameBytes {
            appendHeader(kind: message.kind, group: message.group, payloadByteCount: payloadByteCount, into: &writer)
            message.encodePayload(into: &writer)
        } else {
            precondition(partial == nil, "a second message of \(payloadByteCount) bytes while one is being cut")
            var payload = ByteWriter(reservingCapacity: payloadByteCount)
            message.encodePayload(into: &payload)
            partial = Partial(kind: message.kind, group: message.group, payload: payload.take(), sent: 0)
        }
    }

    /// Appends the next piece of the message that is being cut, if there is one.
    mutating func encodePiece(into writer: inout ByteWriter) {
        guard var message = partial else { return }
        partial = nil
        let end = min(message.sent + maxFrameBytes - FrameHeader.byteCount, message.payload.count)
        var flags: FrameFlags = message.sent > 0 ? .continuation : []
        if end < message.payload.count { flags.insert(.continues) }
        appendHeader(
            kind: message.kind, flags: flags, group: message.group, payloadByteCount: end - message.sent, into: &writer)
        writer.append(message.payload.slice(message.sent..<end))
        message.sent = end
        if end < message.payload.count { partial = message }
    }

    /// Appends a frame that concerns the link itself.
    mutating func encode(_ kind: FrameKind, payload: Bytes, into writer: inout ByteWriter) {
        encodeHeader(kind, payloadByteCount: payload.count, into: &writer)
        writer.append(payload)
    }

    /// Appends what stands before a payload that the caller writes.
    mutating func encodeHeader(_ kind: FrameKind, payloadByteCount: Int, into writer: inout ByteWriter) {
        appendHeader(kind: kind, group: GroupID(0), payloadByteCount: payloadByteCount, into: &writer)
    }

    private mutating func appendHeader(
        kind: FrameKind, flags: FrameFlags = [], group: GroupID, payloadByteCount: Int, into writer: inout ByteWriter
    ) {
        FrameHeader(kind: kind, flags: flags, cluster: cluster, group: group, from: from, to: to)
            .encode(payloadByteCount: payloadByteCount, into: &writer)
        frames += 1
    }
}
