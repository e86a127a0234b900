import ByteCoding
import Testing

@testable import Raft

@Suite("Messages on the wire")
struct MessageCodecTests {
    static let bodies: [Message.Body] = [
        .preVoteRequest(last: id(3, 7)),
        .preVoteResponse(granted: true),
        .preVoteResponse(granted: false),
        .voteRequest(last: .zero, isTransfer: false),
        .voteRequest(last: id(3, 7), isTransfer: true),
        .voteResponse(granted: true),
        .voteResponse(granted: false),
        .appendRequest(previous: id(3, 7), entries: [], commit: 6),
        .appendRequest(
            previous: id(3, 7),
            entries: [
                entry(3, 8, "payload"), Entry(group: group, id: id(4, 9), kind: .noop, payload: ""),
                Entry(id: id(5, 10), kind: .membership, payload: Bytes([0, 255, 7]), checksum: 12),
            ], commit: LogIndex(.max)),
        .appendAccepted(matched: LogIndex(.max)),
        .appendRejected(previous: 7, hint: id(2, 5)),
        .heartbeat(commit: 1, round: .max, truncatable: 0),
        .heartbeatResponse(round: 9),
        .readIndexRequest(ReadToken(incarnation: .max, count: 1)),
        .readIndexResponse(ReadToken(incarnation: 2, count: 3), index: 4),
        .readIndexResponse(ReadToken(incarnation: 2, count: 3), index: nil),
        .timeoutNow,
        .commitNotice(id(3, 7)),
    ]

    private func message(_ body: Message.Body) -> Message {
        Message(group: GroupID(0x0102_0304_0506_0708), from: 11, to: 12, term: 13, body: body)
    }

    private func encoded(_ message: Message) -> Bytes {
        var writer = ByteWriter()
        message.encode(into: &writer)
        return writer.take()
    }

    private func hex(_ bytes: Bytes) -> String {
        bytes.array.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    @Test(arguments: bodies) func `what was written is read`(_ body: Message.Body) throws {
        let message = message(body)
        let bytes = encoded(message)
        #expect(bytes.count == message.encodedByteCount)
        var reader = ByteReader(bytes)
        #expect(try Message(decoding: &reader) == message)
        #expect(reader.isAtEnd)
    }

    @Test(arguments: bodies) func `a message cut short anywhere is malformed`(_ body: Message.Body) {
        let bytes = encoded(message(body))
        for length in 0..<bytes.count {
            #expect(throws: MalformedBytes.self) {
                var reader = ByteReader(bytes.slice(0..<length))
                _ = try Message(decoding: &reader)
            }
        }
    }

    @Test func `the layout is what the documentation draws`() {
        let header = "0807060504030201" + "0b00000000000000" + "0c00000000000000" + "0d00000000000000"
        #expect(
            hex(encoded(message(.appendRejected(previous: 7, hint: id(2, 5)))))
                == "0207" + header + "0700000000000000" + "0200000000000000" + "0500000000000000")
        let sent = Entry(id: id(3, 8), kind: .normal, payload: "ab", checksum: 0x0403_0201)
        #expect(
            hex(encoded(message(.appendRequest(previous: id(3, 7), entries: [sent], commit: 6))))
                == "0205" + header + "0300000000000000" + "0700000000000000" + "0600000000000000" + "01000000"
                + "01" + "0300000000000000" + "01020304" + "02000000" + "6162")
    }

    @Test func `kinds keep their numbers`() {
        #expect(
            Self.bodies.map { encoded(message($0))[1] } == [1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 7, 8, 9, 10, 11, 11, 12, 13])
    }

    @Test func `what follows the message stays unread`() throws {
        var writer = ByteWriter()
        for body in Self.bodies { message(body).encode(into: &writer) }
        var reader = ByteReader(writer.take())
        for body in Self.bodies { #expect(try Message(decoding: &reader).body == body) }
        #expect(reader.isAtEnd)
    }

    @Test(
        arguments: [
            // Version, kind, a flag, an entry's kind.
            (Message.Body.heartbeatResponse(round: 1), 0, 1, "message version"),
            (.heartbeatResponse(round: 1), 1, 0, "message kind"), (.heartbeatResponse(round: 1), 1, 14, "message kind"),
            (.voteResponse(granted: true), 34, 2, "grant"),
            (.voteRequest(last: .zero, isTransfer: true), 50, 2, "transfer flag"),
            (.appendRequest(previous: .zero, entries: [entry(1, 1)], commit: 0), 62, 9, "entry kind"),
            // A count of entries, a payload's length beyond what is there.
            (.appendRequest(previous: .zero, entries: [entry(1, 1)], commit: 0), 61, 0xFF, "entry count"),
            (.appendRequest(previous: .zero, entries: [entry(1, 1)], commit: 0), 78, 0xFF, "entry payload"),
        ] as [(Message.Body, Int, UInt8, String)])
    func `a wrong byte is named`(body: Message.Body, offset: Int, byte: UInt8, what: String) {
        var array = encoded(message(body)).array
        array[offset] = byte
        var reader = ByteReader(Bytes(array))
        do {
            _ = try Message(decoding: &reader)
            Issue.record("read")
        } catch {
            #expect(error.what == what)
        }
    }

    @Test func `entries behind the last possible index are malformed`() {
        var writer = ByteWriter()
        message(.appendRequest(previous: EntryID(term: 1, index: LogIndex(.max)), entries: [], commit: 0))
            .encode(into: &writer)
        writer.overwrite(at: 58, with: UInt32(1))
        writer.append(Bytes([UInt8](repeating: 1, count: 17)))
        #expect(throws: MalformedBytes("entry count", at: 58)) {
            var reader = ByteReader(writer.take())
            _ = try Message(decoding: &reader)
        }
    }

    @Test func `payloads share the frame's storage`() throws {
        let payload = Bytes([UInt8](repeating: 5, count: 1000))
        var reader = ByteReader(
            encoded(message(.appendRequest(previous: .zero, entries: [entry(1, 1, payload)], commit: 0))))
        let frame = reader
        guard case .appendRequest(_, let entries, _) = try Message(decoding: &reader).body else { return }
        #expect(entries.first?.payload == payload)
        let copies = withExtendedLifetime(frame) {
            entries[0].payload.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
        }
        var again = frame
        guard case .appendRequest(_, let same, _) = try Message(decoding: &again).body else { return }
        #expect(same[0].payload.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) } == copies)
    }

    @Test func `random bytes never crash the reader`() {
        var random = SplitMix64(seed: 1)
        var read = 0
        for round in 0..<20_000 {
            var bytes = (0..<random.next(below: UInt64(120))).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            // Most of them with a believable start, or nothing but the version check would be tried.
            if round % 4 != 0, bytes.count > 1 {
                bytes[0] = Message.wireVersion
                bytes[1] = UInt8(1 + random.next(below: 13))
            }
            var reader = ByteReader(Bytes(bytes))
            if (try? Message(decoding: &reader)) != nil { read += 1 }
        }
        #expect(read > 1000)
    }

    @Test(arguments: bodies) func `one flipped byte never crashes the reader`(_ body: Message.Body) {
        let good = encoded(message(body)).array
        for offset in good.indices {
            for flip in [1, 0x80, 0xFF] as [UInt8] {
                var bytes = good
                bytes[offset] ^= flip
                var reader = ByteReader(Bytes(bytes))
                if let read = try? Message(decoding: &reader) { #expect(read != message(body)) }
            }
        }
    }
}
