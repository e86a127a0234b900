import ByteCoding
import Logging
import NIOCore
import NIOEmbedded
import Raft

@testable import PeerTransport

extension TransportContext {
    /// What links of node `node` share, with a delegate that the test reads.
    static func sample(
        _ node: UInt64 = 2, limits: PeerTransportLimits = PeerTransportLimits(), delegate: RecordingDelegate,
        log: Recorder<RecordingLog.Line> = Recorder()
    ) -> TransportContext {
        TransportContext(
            identity: .sample(node), limits: limits, logger: RecordingLog.logger(log), delegate: delegate)
    }
}

extension EmbeddedChannel {
    /// A channel that is connected.
    static func connected(_ handlers: any ChannelHandler...) throws -> EmbeddedChannel {
        let channel = EmbeddedChannel(handlers: handlers)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        return channel
    }

    func receive(_ bytes: Bytes) throws { try writeInbound(allocator.buffer(bytes)) }

    /// Everything written since the last call.
    func sent() throws -> Bytes {
        var writer = ByteWriter()
        while let buffer = try readOutbound(as: ByteBuffer.self) {
            buffer.withUnsafeReadableBytes { writer.append($0) }
        }
        return writer.take()
    }
}

extension FrameEncoder {
    static func sample(from: UInt64 = 1, to: UInt64 = 2, maxFrameBytes: Int = 256 << 10) -> FrameEncoder {
        FrameEncoder(cluster: 77, from: NodeID(from), to: NodeID(to), maxFrameBytes: maxFrameBytes)
    }

    /// All frames of the messages, in order.
    mutating func stream(_ messages: [PeerMessage]) -> Bytes {
        var writer = ByteWriter()
        for message in messages {
            encode(message, into: &writer)
            while hasPartial { encodePiece(into: &writer) }
        }
        return writer.take()
    }

    mutating func link(_ kind: FrameKind, _ payload: Bytes) -> Bytes {
        var writer = ByteWriter()
        encode(kind, payload: payload, into: &writer)
        return writer.take()
    }
}

extension MessageAssembler {
    static func sample(from: UInt64 = 1, to: UInt64 = 2, maxMessageBytes: Int = 80 << 20) -> MessageAssembler {
        MessageAssembler(cluster: 77, from: NodeID(from), to: NodeID(to), maxMessageBytes: maxMessageBytes)
    }
}

/// Decodes a whole stream of frames and puts its messages together; frames of the link itself are left out.
func messages(
    in stream: Bytes, maxFrameBytes: Int = 256 << 10, assembler: MessageAssembler = .sample()
) throws(FrameError) -> [PeerMessage] {
    var assembler = assembler
    var messages: [PeerMessage] = []
    for frame in try frames(in: stream, maxFrameBytes: maxFrameBytes) {
        try assembler.check(frame.header)
        guard [.raft, .forward, .room].contains(frame.header.kind) else { continue }
        if let message = try assembler.accept(frame) { messages.append(message) }
    }
    return messages
}

func frames(in stream: Bytes, maxFrameBytes: Int = 256 << 10) throws(FrameError) -> [Frame] {
    var decoder = FrameDecoder(maxFrameBytes: maxFrameBytes)
    var frames: [Frame] = []
    try stream.withUnsafeBytes { (bytes) throws(FrameError) in try decoder.decode(bytes, into: &frames) }
    return frames
}

/// Bytes as one run.
func + (a: Bytes, b: Bytes) -> Bytes { Bytes(a.array + b.array) }

/// A small generator with a seed, so that a failing case can be had again.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func bytes(_ count: Int) -> Bytes {
        Bytes((0..<count).map { _ in UInt8.random(in: .min ... .max, using: &self) })
    }
}
