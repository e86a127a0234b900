import ByteCoding
import Raft

/// Turns the frames of one connection into messages: checks who they are from and for, and joins pieces.
struct MessageAssembler: Sendable {
    let cluster: UInt64
    /// The node on the other side.
    let from: NodeID
    /// This node.
    let to: NodeID
    let maxMessageBytes: Int
    /// A message of which the last piece has not come.
    private var partial: Partial?

    private struct Partial: Sendable {
        var kind: FrameKind
        var group: GroupID
        /// Its payload so far.
        var bytes: [UInt8] = []
    }

    init(cluster: UInt64, from: NodeID, to: NodeID, maxMessageBytes: Int) {
        self.cluster = cluster
        self.from = from
        self.to = to
        self.maxMessageBytes = maxMessageBytes
    }

    /// Checks what every frame of this connection must have right, whatever its kind.
    func check(_ header: FrameHeader) throws(FrameError) {
        guard header.cluster == cluster else { throw .foreignCluster }
        guard header.from == from, header.to == to else { throw .addresses(from: header.from, to: header.to) }
    }

    /// Takes a frame of kind `.raft` or `.forward` that `check` let pass.
    ///
    /// - Returns: the message, once its last piece is there.
    mutating func accept(_ frame: Frame) throws(FrameError) -> PeerMessage? {
        guard frame.header.flags.isEmpty else { return try join(frame) }
        return try PeerMessage(header: frame.header, payload: frame.payload)
    }

    private mutating func join(_ frame: Frame) throws(FrameError) -> PeerMessage? {
        let header = frame.header
        guard header.flags.contains(.continuation) == (partial != nil), !frame.payload.isEmpty else { throw .piece }
        // `take` leaves no second reference to the bytes, so that appending doesn't copy them.
        var message = partial.take() ?? Partial(kind: header.kind, group: header.group)
        guard message.kind == header.kind, message.group == header.group else { throw .piece }
        guard message.bytes.count + frame.payload.count <= maxMessageBytes else {
            throw .messageTooLarge(limit: maxMessageBytes)
        }
        frame.payload.withUnsafeBytes { message.bytes.append(contentsOf: $0) }
        guard header.flags.contains(.continues) else {
            return try PeerMessage(header: header, payload: Bytes(message.bytes))
        }
        partial = message
        return nil
    }
}
