import ByteCoding
import NIOCore
import Raft
import Testing

@testable import PeerTransport

@Suite("Snapshots: frames and pace")
struct SnapshotFrameTests {
    private static let everyKind: [SnapshotFrame] = [
        .offer(group: GroupID(1), term: Term(7), totalBytes: 1 << 40, metadata: "what it is"),
        .offer(group: GroupID(1), term: Term(7), totalBytes: 0, metadata: Bytes()),
        .accept(offset: 12), .chunk(SnapshotChunk(offset: 5, bytes: "bytes")), .ack(offset: .max), .end(totalBytes: 9),
        .done, .refused("no room"),
    ]

    private func frame(_ kind: FrameKind, _ payload: Bytes, flags: FrameFlags = []) -> Frame {
        let header = FrameHeader(
            kind: kind, flags: flags, cluster: 77, group: GroupID(0), from: NodeID(1), to: NodeID(2))
        return Frame(header: header, payload: payload)
    }

    @Test(arguments: everyKind) func `a frame is read as it was written`(sent: SnapshotFrame) throws {
        #expect(try SnapshotFrame(frame(sent.kind, sent.encode())) == sent)
    }

    @Test(arguments: everyKind) func `a frame cut anywhere, or with a byte too many, is never read as something else`(
        sent: SnapshotFrame
    ) throws {
        let payload = sent.encode()
        for end in 0..<payload.count {
            // What ends in text or bytes may be shorter, and is then something else by itself.
            if let shorter = try? SnapshotFrame(frame(sent.kind, payload.slice(0..<end))) { #expect(shorter != sent) }
        }
        if let longer = try? SnapshotFrame(frame(sent.kind, payload + "x")) { #expect(longer != sent) }
        #expect(throws: FrameError.piece) { try SnapshotFrame(frame(sent.kind, payload, flags: .continues)) }
    }

    @Test func `a chunk that is empty, or ends beyond all numbers, is malformed`() {
        var writer = ByteWriter()
        writer.append(UInt64(1))
        writer.append(UInt32(0))
        let empty = writer.take()
        #expect(throws: FrameError.malformed(MalformedBytes("chunk", at: 12))) {
            try SnapshotFrame(frame(.snapshotChunk, empty))
        }
        writer.append(UInt64.max)
        writer.append(UInt32(0))
        writer.append(UInt8(1))
        let endless = writer.take()
        #expect(throws: FrameError.malformed(MalformedBytes("chunk", at: 12))) {
            try SnapshotFrame(frame(.snapshotChunk, endless))
        }
    }

    @Test func `a chunk notices each changed bit, and a wrong place`() throws {
        let chunk = SnapshotChunk(offset: 1000, bytes: "some bytes of a snapshot")
        #expect(chunk.isIntact)
        let payload = SnapshotFrame.chunk(chunk).encode()
        for bit in 0..<payload.count * 8 {
            var bytes = payload.array
            bytes[bit / 8] ^= 1 << (bit % 8)
            guard case .chunk(let changed) = try SnapshotFrame(frame(.snapshotChunk, Bytes(bytes))) else { continue }
            #expect(!changed.isIntact, "bit \(bit)")
        }
    }

    @Test func `a pace without a limit never waits; one with a limit spreads the pieces`() {
        let start = NIODeadline.uptimeNanoseconds(5_000_000_000)
        var free = SnapshotPace(bytesPerSecond: 0)
        free.spend(1 << 30, now: start)
        #expect(free.nextPiece(now: start) == start)
        #expect(free.pieceBytes(atMost: 256 << 10) == 256 << 10)

        var slow = SnapshotPace(bytesPerSecond: 100_000)
        #expect(slow.pieceBytes(atMost: 256 << 10) == 25_000)
        var now = start
        for _ in 0..<8 {
            now = slow.nextPiece(now: now)
            slow.spend(25_000, now: now)
        }
        #expect(slow.nextPiece(now: now) == start + .seconds(2))
    }

    @Test func `time in which nothing went is not made up for`() {
        let start = NIODeadline.uptimeNanoseconds(5_000_000_000)
        var pace = SnapshotPace(bytesPerSecond: 100_000)
        pace.spend(25_000, now: start)
        let later = start + .seconds(100)
        #expect(pace.nextPiece(now: later) == later)
        pace.spend(25_000, now: later)
        #expect(pace.nextPiece(now: later) == later + .milliseconds(250))
    }

    @Test func `no pace is so slow that a stream looks dead`() {
        #expect(SnapshotPace(bytesPerSecond: 1).pieceBytes(atMost: 1 << 20) == SnapshotPace.minBytesPerSecond / 4)
    }
}
