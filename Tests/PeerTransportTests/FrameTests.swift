import ByteCoding
import Raft
import Testing

@testable import PeerTransport

@Suite("Frames: from messages to bytes and back")
struct FrameTests {
    @Test(arguments: [1, 2, 3, 4, 5, 7, 39, 40, 41, 300, 5000])
    func `a stream decodes alike in pieces of any size`(size: Int) throws {
        let sent = PeerMessage.everyKind() + [.append(4, bytes: 3000)]
        var encoder = FrameEncoder.sample(maxFrameBytes: 1024)
        let stream = encoder.stream(sent)
        var decoder = FrameDecoder(maxFrameBytes: 1024)
        var frames: [Frame] = []
        for start in stride(from: 0, to: stream.count, by: size) {
            try stream.slice(start..<min(start + size, stream.count)).withUnsafeBytes { (piece) throws(FrameError) in
                try decoder.decode(piece, into: &frames)
            }
        }
        var assembler = MessageAssembler.sample()
        let got = try frames.compactMap { try assembler.accept($0) }
        #expect(got == sent)
        #expect(UInt64(frames.count) == encoder.frames)
    }

    @Test func `the header looks as its picture says`() {
        var encoder = FrameEncoder(cluster: 0x0102, from: NodeID(3), to: NodeID(4), maxFrameBytes: 1024)
        let frame = encoder.stream([.forward(2, bytes: 1, from: 3, to: 4)])
        #expect(frame.slice(0..<8).array == [36 + 33, 0, 0, 0, 1, 2, 0, 0])
        #expect(frame.slice(8..<16).array == [2, 1, 0, 0, 0, 0, 0, 0])
        #expect([16, 24, 32].map { frame[$0] } == [1, 3, 4])
        #expect([40, 48, 56, 64, 72].map { frame[$0] } == [3, 9, 1, 2, 7])
        #expect(frame.count == 40 + 33)
    }

    @Test func `half a frame is nothing yet, wherever it is cut`() throws {
        var encoder = FrameEncoder.sample()
        let stream = encoder.stream([.append(1, bytes: 50)])
        for end in 0..<stream.count {
            #expect(try frames(in: stream.slice(0..<end)).isEmpty)
        }
        #expect(try frames(in: stream).count == 1)
    }

    struct BadFrame: Sendable, CustomTestStringConvertible {
        var offset: Int
        var bytes: [UInt8]
        var error: FrameError
        var testDescription: String { error.description }
    }

    @Test(arguments: [
        BadFrame(offset: 0, bytes: [0xFF, 0xFF, 0xFF, 0xFF], error: .lengthOutOfRange((1 << 32) + 3, limit: 4096)),
        BadFrame(offset: 0, bytes: [0xFD, 0x0F, 0, 0], error: .lengthOutOfRange(4097, limit: 4096)),
        BadFrame(offset: 0, bytes: [0x23, 0, 0, 0], error: .lengthOutOfRange(39, limit: 4096)),
        BadFrame(offset: 0, bytes: [0, 0, 0, 0], error: .lengthOutOfRange(4, limit: 4096)),
        BadFrame(offset: 4, bytes: [2], error: .version(2)),
        BadFrame(offset: 5, bytes: [0], error: .kind(0)),
        BadFrame(offset: 5, bytes: [99], error: .kind(99)),
        BadFrame(offset: 6, bytes: [4, 0], error: .flags(4)),
        BadFrame(offset: 7, bytes: [0x80], error: .flags(0x8000)),
        BadFrame(offset: 8, bytes: [78], error: .foreignCluster),
        BadFrame(offset: 24, bytes: [9], error: .addresses(from: NodeID(9), to: NodeID(2))),
        BadFrame(offset: 32, bytes: [9], error: .addresses(from: NodeID(1), to: NodeID(9))),
        BadFrame(offset: 5, bytes: [2], error: .malformed(MalformedBytes("term", at: 0))),
        BadFrame(offset: 16, bytes: [5], error: .addresses(from: NodeID(1), to: NodeID(2))),
    ])
    func `a frame with one wrong field is refused with its reason, the frames before it are kept`(
        bad: BadFrame
    ) throws {
        var encoder = FrameEncoder.sample()
        let good = encoder.stream([.heartbeat(1)])
        // So short a payload that it is no forwarded segment either.
        var header = ByteWriter()
        FrameHeader(kind: .raft, cluster: 77, group: GroupID(1), from: NodeID(1), to: NodeID(2))
            .encode(payloadByteCount: 0, into: &header)
        var wrong = bad.offset == 16 ? encoder.stream([.heartbeat(1)]).array : header.take().array
        wrong.replaceSubrange(bad.offset..<bad.offset + bad.bytes.count, with: bad.bytes)

        var decoder = FrameDecoder(maxFrameBytes: 4096)
        var frames: [Frame] = []
        #expect(throws: bad.error) {
            try (good + Bytes(wrong)).withUnsafeBytes { (bytes) throws(FrameError) in
                try decoder.decode(bytes, into: &frames)
            }
            for frame in frames.dropFirst() {
                var assembler = MessageAssembler.sample()
                try assembler.check(frame.header)
                _ = try assembler.accept(frame)
            }
        }
        #expect(frames.first?.header.kind == .raft)
    }

    @Test func `bytes after the end of a message are refused`() throws {
        var encoder = FrameEncoder.sample()
        var stream = encoder.stream([.heartbeat(1)]).array
        stream[0] += 1
        stream.append(0)
        #expect(throws: FrameError.malformed(MalformedBytes("end of message", at: 58))) {
            try messages(in: Bytes(stream))
        }
    }

    @Test func `1,000 random byte strings neither crash the decoder nor make it hoard memory`() {
        for seed in 0..<1000 as Range<UInt64> {
            var random = SplitMix64(seed: seed)
            var decoder = FrameDecoder(maxFrameBytes: 4096)
            var assembler = MessageAssembler.sample(maxMessageBytes: 8192)
            var frames: [Frame] = []
            let bytes = random.bytes(Int.random(in: 0...3000, using: &random))
            _ = try? bytes.withUnsafeBytes { try decoder.decode($0, into: &frames) }
            for frame in frames { _ = try? assembler.accept(frame) }
        }
    }

    @Test func `1,000 valid streams with a few bytes changed never crash, and decode to no more messages`() {
        let sent = PeerMessage.everyKind() + [.append(4, bytes: 3000), .heartbeat(9)]
        var encoder = FrameEncoder.sample(maxFrameBytes: 1024)
        let stream = encoder.stream(sent).array
        var refused = 0
        for seed in 0..<1000 as Range<UInt64> {
            var random = SplitMix64(seed: seed)
            var changed = stream
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                changed[Int.random(in: 0..<changed.count, using: &random)] ^= UInt8.random(in: 1...255, using: &random)
            }
            do {
                let got = try messages(in: Bytes(changed), maxFrameBytes: 1024)
                #expect(got.count <= sent.count, "seed \(seed)")
            } catch { refused += 1 }
        }
        #expect(refused > 0)
    }
}
