import ByteCoding
import Raft
import Testing

@testable import PeerTransport

@Suite("Large messages are cut into pieces")
struct PieceTests {
    private static let large = PeerMessage.append(1, bytes: 10_000)

    /// The pieces of `large`, a frame each.
    private static func pieces(_ encoder: inout FrameEncoder) -> [Bytes] {
        var pieces: [Bytes] = []
        var writer = ByteWriter()
        encoder.encode(large, into: &writer)
        while encoder.hasPartial {
            encoder.encodePiece(into: &writer)
            pieces.append(writer.take())
        }
        return pieces
    }

    @Test func `no frame is longer than the limit, and only the ends lack a flag`() throws {
        var encoder = FrameEncoder.sample(maxFrameBytes: 1024)
        let pieces = Self.pieces(&encoder)
        #expect(pieces.count == 11)
        #expect(pieces.dropLast().allSatisfy { $0.count == 1024 })
        let flags = try pieces.map { try frames(in: $0, maxFrameBytes: 1024)[0].header.flags }
        #expect(flags.first == .continues)
        #expect(flags.last == .continuation)
        #expect(flags.dropFirst().dropLast().allSatisfy { $0 == [.continues, .continuation] })
    }

    @Test(arguments: [-1, 0, 1])
    func `a message that just fits is not cut`(excess: Int) throws {
        let overhead = PeerMessage.append(1, bytes: 0).payloadByteCount + FrameHeader.byteCount
        let message = PeerMessage.append(1, bytes: 1024 - overhead + excess)
        var encoder = FrameEncoder.sample(maxFrameBytes: 1024)
        let stream = encoder.stream([message])
        #expect(encoder.frames == (excess > 0 ? 2 : 1))
        #expect(try messages(in: stream, maxFrameBytes: 1024) == [message])
    }

    @Test func `control frames between the pieces come through before the message is whole`() throws {
        var encoder = FrameEncoder.sample(maxFrameBytes: 1024)
        let pieces = Self.pieces(&encoder)
        let stream = pieces.enumerated().reduce(Bytes()) { stream, next in
            stream + next.element + encoder.stream([.heartbeat(UInt64(next.offset))])
        }
        let arrived = try messages(in: stream, maxFrameBytes: 1024)
        #expect(arrived == (0..<10).map { .heartbeat($0) } + [Self.large, .heartbeat(10)])
    }

    @Test func `pieces out of order are refused`() throws {
        var encoder = FrameEncoder.sample(maxFrameBytes: 1024)
        let pieces = Self.pieces(&encoder)
        let withoutFirst = pieces[1] + pieces[2]
        let twoBegin = pieces[0] + pieces[0]
        var otherKind = pieces[1].array
        otherKind[5] = FrameKind.forward.rawValue
        for stream in [withoutFirst, twoBegin, pieces[0] + Bytes(otherKind)] {
            #expect(throws: FrameError.piece) { try messages(in: stream, maxFrameBytes: 1024) }
        }
    }

    @Test func `an empty piece is refused: it would cost memory without counting`() {
        var writer = ByteWriter()
        FrameHeader(
            kind: .raft, flags: .continues, cluster: 77, group: GroupID(1), from: NodeID(1), to: NodeID(2)
        ).encode(payloadByteCount: 0, into: &writer)
        #expect(throws: FrameError.piece) { try messages(in: writer.take()) }
    }

    @Test func `a message above the limit is refused before it is put together`() {
        var encoder = FrameEncoder.sample(maxFrameBytes: 1024)
        let stream = Self.pieces(&encoder).dropLast().reduce(Bytes(), +)
        #expect(throws: FrameError.messageTooLarge(limit: 5000)) {
            try messages(in: stream, maxFrameBytes: 1024, assembler: .sample(maxMessageBytes: 5000))
        }
    }
}
