import ByteCoding
import Raft
import Testing

@testable import PeerTransport

@Suite("Comparison of replicas: bytes")
struct ComparisonFrameTests {
    private static let messages =
        [PeerMessage.comparisonRequest(from: 1, to: 2)] + PeerMessage.comparisonReports(from: 1, to: 2)

    private func header(_ message: PeerMessage) -> FrameHeader {
        FrameHeader(kind: message.kind, cluster: 77, group: GroupID(1), from: NodeID(1), to: NodeID(2))
    }

    private func payload(_ message: PeerMessage) -> Bytes {
        var writer = ByteWriter()
        message.encodePayload(into: &writer)
        return writer.take()
    }

    @Test(arguments: messages) func `a message comes back as it was sent, from its bytes and no others`(
        message: PeerMessage
    ) throws {
        let bytes = payload(message)
        #expect(bytes.count == message.payloadByteCount)
        #expect(try PeerMessage(header: header(message), payload: bytes) == message)
        for end in 0..<bytes.count {
            #expect(throws: FrameError.self) {
                try PeerMessage(header: header(message), payload: bytes.slice(0..<end))
            }
        }
        #expect(throws: FrameError.self) {
            try PeerMessage(header: header(message), payload: Bytes(bytes.array + [0]))
        }
    }

    @Test func `details, contents and ends that nobody knows are refused`() throws {
        let request = PeerMessage.comparisonRequest(from: 1, to: 2)
        var bytes = payload(request).array
        bytes[24] = 2
        #expect(throws: FrameError.self) { try PeerMessage(header: header(request), payload: Bytes(bytes)) }
        let missed = PeerMessage.comparisonReports(from: 1, to: 2)[0]
        for (offset, value) in [(24, 2), (29, 3)] as [(Int, UInt8)] {
            var bytes = payload(missed).array
            bytes[offset] = value
            #expect(throws: FrameError.self) { try PeerMessage(header: header(missed), payload: Bytes(bytes)) }
        }
    }

    /// A count is no reason to take memory.
    @Test func `a count beyond what has come is refused`() throws {
        let report = PeerMessage.comparisonReports(from: 1, to: 2)[1]
        var bytes = payload(report).array
        // Behind term, round, applied term, the flag, the next key "m" with its length, and the kind.
        bytes.replaceSubrange(31..<35, with: [255, 255, 255, 255])
        #expect(throws: FrameError.self) { try PeerMessage(header: header(report), payload: Bytes(bytes)) }
    }

    @Test func `an alarm that is longer than agreed is refused`() throws {
        guard case .comparisonRequest(var request) = PeerMessage.comparisonRequest(from: 1, to: 2) else { return }
        request.alarm = String(repeating: "x", count: ComparisonRequest.maxAlarmBytes + 1)
        let message = PeerMessage.comparisonRequest(request)
        #expect(throws: FrameError.self) {
            try PeerMessage(header: header(message), payload: payload(message))
        }
    }
}
