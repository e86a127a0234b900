import ByteCoding
import Raft
import Testing

@testable import PeerTransport

@Suite("Reports of room on the disk: bytes")
struct RoomReportTests {
    private let header = FrameHeader(
        kind: .room, cluster: 77, group: GroupID(1), from: NodeID(1), to: NodeID(2))

    private func payload(hasVerdict: Bool) -> Bytes {
        var writer = ByteWriter()
        PeerMessage.room(from: 1, to: 2, hasVerdict: hasVerdict).encodePayload(into: &writer)
        return writer.take()
    }

    @Test(arguments: [false, true])
    func `a report comes back as it was sent, from its bytes and no others`(hasVerdict: Bool) throws {
        let message = PeerMessage.room(from: 1, to: 2, hasVerdict: hasVerdict)
        let bytes = payload(hasVerdict: hasVerdict)
        #expect(bytes.count == message.payloadByteCount)
        #expect(try PeerMessage(header: header, payload: bytes) == message)
        for end in 0..<bytes.count {
            #expect(throws: FrameError.self) { try PeerMessage(header: header, payload: bytes.slice(0..<end)) }
        }
        #expect(throws: FrameError.self) { try PeerMessage(header: header, payload: Bytes(bytes.array + [0])) }
    }

    @Test(arguments: [(16, 3), (49, 2), (58, 3), (67, 3)] as [(Int, UInt8)])
    func `levels and verdicts that nobody knows are refused`(offset: Int, value: UInt8) {
        var bytes = payload(hasVerdict: true).array
        bytes[offset] = value
        #expect(throws: FrameError.self) { try PeerMessage(header: header, payload: Bytes(bytes)) }
    }

    @Test func `a report goes before bulk`() {
        #expect(PeerMessage.room(from: 1, to: 2, hasVerdict: true).lane == .control)
    }
}
