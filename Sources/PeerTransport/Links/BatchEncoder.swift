import ByteCoding

/// Decides what goes to the socket next: everything of the control lane, then bulk for at most one frame's worth.
///
/// The caller hands out the next batch only when the socket has taken the one before, so a message of the control lane
/// waits for one batch at most, whatever lies in the bulk lane.
struct BatchEncoder: Sendable {
    private var frames: FrameEncoder
    private let outbox: Outbox
    /// A guess at the size of the next batch, so that it isn't grown step by step.
    private var lastByteCount = 0

    init(frames: FrameEncoder, outbox: Outbox) {
        self.frames = frames
        self.outbox = outbox
    }

    /// A frame that concerns the link itself, outside of the lanes.
    mutating func encode(_ kind: FrameKind, payload: Bytes) -> Bytes {
        var writer = ByteWriter(reservingCapacity: FrameHeader.byteCount + payload.count)
        frames.encode(kind, payload: payload, into: &writer)
        outbox.recordSent(frames: 1, bytes: writer.count)
        return writer.take()
    }

    /// Encodes the next batch.
    ///
    /// - Returns: the bytes, empty when nothing waits. Not much longer than two frames of the largest size.
    mutating func next() -> Bytes {
        let framesBefore = frames.frames
        var writer = ByteWriter(reservingCapacity: lastByteCount)
        while writer.count < frames.maxFrameBytes, let message = outbox.takeControl() {
            frames.encode(message, into: &writer)
        }
        encodeBulk(into: &writer)
        let batch = writer.take()
        guard !batch.isEmpty else { return batch }
        lastByteCount = batch.count
        outbox.recordSent(frames: frames.frames - framesBefore, bytes: batch.count)
        return batch
    }

    /// One piece of a message that is being cut, and then, or otherwise, whole messages while they fit. The first is
    /// taken whatever its size, so that bulk moves however busy the control lane is.
    private mutating func encodeBulk(into writer: inout ByteWriter) {
        let limit = writer.count + frames.maxFrameBytes
        var isFirst = !frames.hasPartial
        frames.encodePiece(into: &writer)
        while !frames.hasPartial, let message = outbox.takeBulk(fitting: isFirst ? .max : limit - writer.count) {
            isFirst = false
            frames.encode(message, into: &writer)
            frames.encodePiece(into: &writer)
        }
    }
}
