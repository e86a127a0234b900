import ByteCoding
import Raft
import Testing

@testable import PeerTransport

@Suite("Handshake: records and rules")
struct HandshakeTests {
    private static let peer = Introduction(identity: .sample(1), maxFrameBytes: 2048, maxMessageBytes: 4096)

    private static func rules(
        admit: @escaping @Sendable (PeerIdentity) -> PeerVerdict = { _ in .welcome }
    ) -> HandshakeRules {
        HandshakeRules(
            own: Introduction(identity: .sample(2), maxFrameBytes: 2048, maxMessageBytes: 4096),
            delegate: RecordingDelegate(admit: admit))
    }

    fileprivate static func hello(to wanted: UInt64 = 2, _ identity: PeerIdentity = .sample(1)) -> HandshakeRecord {
        var introduction = peer
        introduction.identity = identity
        return HandshakeRecord(hello: Hello(wanted: NodeID(wanted), introduction: introduction))
    }

    private static func decode(_ bytes: Bytes) throws(HandshakeError) -> HandshakeDecoder.Result? {
        var decoder = HandshakeDecoder()
        return try bytes.withUnsafeBytes { (bytes) throws(HandshakeError) in try decoder.decode(bytes) }
    }

    @Test func `what one side says the other reads, with what follows it`() throws {
        let hello = Self.hello()
        let result = try #require(try Self.decode(hello.encode() + "frames"))
        #expect(result == HandshakeDecoder.Result(record: hello, rest: "frames"))
        #expect(try result.record.hello() == Hello(wanted: NodeID(2), introduction: Self.peer))
        let welcome = try #require(try Self.decode(HandshakeRecord(welcome: Self.peer).encode()))
        #expect(try welcome.record.welcome() == Self.peer)
        let refusal = try #require(try Self.decode(HandshakeRecord(Refusal(.refused, "no"), by: Self.peer).encode()))
        #expect(refusal.record.sentence == "no")
    }

    @Test func `a record in single bytes is complete with its last`() throws {
        let bytes = Self.hello().encode()
        var decoder = HandshakeDecoder()
        for offset in 0..<bytes.count {
            let result = try bytes.slice(offset..<offset + 1).withUnsafeBytes { (byte) throws(HandshakeError) in
                try decoder.decode(byte)
            }
            #expect((result != nil) == (offset == bytes.count - 1))
        }
    }

    @Test(arguments: ["GET / HTTP/1.1\r\n\r\n", "*1\r\n$4\r\nPING\r\n", "\0", "\u{16}\u{3}\u{1}", "ROOSTP", "P"])
    func `what is no handshake is known by its first byte`(text: String) {
        #expect(throws: HandshakeError.notRoost) { try Self.decode(Bytes(text)) }
    }

    @Test func `a wrong byte later in the magic is found too`() {
        #expect(throws: HandshakeError.notRoost) { try Self.decode(Bytes([0x89, 0x52, 0x4F, 0x4F, 0x00])) }
    }

    @Test func `a length above the limit is refused before anything of that length is awaited`() {
        var bytes = Self.hello().encode().array
        bytes.replaceSubrange(12..<16, with: [0xFF, 0xFF, 0xFF, 0xFF])
        #expect(throws: HandshakeError.malformed(MalformedBytes("handshake header", at: 8))) {
            try Self.decode(Bytes(bytes))
        }
    }

    @Test func `an identity cut anywhere is broken, never a crash`() {
        let body = Self.hello().body
        for end in 0..<body.count {
            let verdict = Self.rules().judge(hello: HandshakeRecord(kind: .hello, body: body.slice(0..<end)))
            guard case .broken = verdict else {
                Issue.record("a hello of \(end) bytes: \(verdict)")
                continue
            }
        }
    }

    @Test func `a long sentence is cut to what a record holds, and stays one line`() throws {
        let record = HandshakeRecord(
            Refusal(.refused, "a\nb\r\u{1B}[2J" + String(repeating: "x", count: 10_000)), by: Self.peer)
        #expect(record.encode().count == HandshakeRecord.maxByteCount)
        #expect(record.sentence.hasPrefix("ab[2Jxxx"))
    }

    @Test func `a removal says who says so, and fits however long its sentence is`() throws {
        for sentence in ["go", String(repeating: "x", count: 10_000)] {
            let bytes = HandshakeRecord(Refusal(.removed, sentence), by: Self.peer).encode()
            #expect(bytes.count <= HandshakeRecord.maxByteCount)
            let refusal = try #require(try Self.decode(bytes)?.record.refusal)
            #expect(refusal.kind == .removed)
            #expect(refusal.answerer == Self.peer.identity)
            #expect(sentence.hasPrefix(refusal.sentence) && !refusal.sentence.isEmpty)
        }
    }

    @Test func `a removal of another version, or one that is cut, is a refusal like others`() {
        let record = HandshakeRecord(Refusal(.removed, "go"), by: Self.peer)
        let old = HandshakeRecord(version: 1, kind: .removed, body: "node 1 was removed")
        #expect(old.refusal == Refusal(.refused, "node 1 was removed"))
        for end in 0..<record.body.count - 2 {
            let cut = HandshakeRecord(kind: .removed, body: record.body.slice(0..<end))
            #expect(cut.refusal?.kind == .refused, "\(end) bytes")
        }
    }

    /// Another cluster may sit at a member's address, and say what is true there.
    @Test func `only whom one wanted to reach, in the own cluster, can say that one was removed`() {
        for (identity, isBelieved) in [
            (.sample(1), true), (.sample(3), false), (.sample(1, cluster: 5), false),
        ] as [(PeerIdentity, Bool)] {
            let removal = Refusal(.removed, "go", by: identity)
            let judged = Self.rules().judge(refusal: removal, from: NodeID(1))
            #expect(judged == (isBelieved ? removal : Refusal(.refused, "go")), "\(identity)")
        }
        #expect(Self.rules().judge(refusal: Refusal(.removed, "go"), from: NodeID(1)) == Refusal(.refused, "go"))
    }

    struct Refused: Sendable, CustomTestStringConvertible {
        var record: HandshakeRecord
        var sentence: String
        var node: UInt64?
        var testDescription: String { sentence }
    }

    @Test(arguments: [
        Refused(
            record: HandshakeRecord(version: 1, kind: .hello, body: "who knows"),
            sentence: "node 2 speaks version 3 of the peer protocol, the other side version 1: upgrade the older one",
            node: nil),
        Refused(
            record: HandshakeTests.hello(.sample(1, cluster: 5, name: "other")),
            sentence: "node 2 belongs to cluster \"test\", node 1 to cluster \"other\": "
                + "check cluster-name and peers of both", node: 1),
        Refused(
            record: HandshakeTests.hello(.sample(1, cluster: 5)),
            sentence: "both clusters are called \"test\", but they were founded with different node ids: "
                + "check cluster-name and peers of both", node: 1),
        Refused(
            record: HandshakeTests.hello(to: 3),
            sentence: "this is node 2, not node 3: check the address that node 1 has for node 3", node: 1),
        Refused(
            record: HandshakeTests.hello(.sample(2)),
            sentence: "node id 2 is taken by the node that answers: give one of the two another node-id", node: 2),
    ])
    func `the accepting side refuses with a sentence`(refused: Refused) {
        #expect(
            Self.rules().judge(hello: refused.record)
                == .refused(Refusal(.refused, refused.sentence), node: refused.node.map { NodeID($0) }))
    }

    @Test func `the delegate has the last word on both sides`() {
        let rules = Self.rules { $0.incarnation == 1001 ? .refused("node 1 has lost its disk") : .welcome }
        let refusal = HandshakeRules.Verdict.refused(
            Refusal(.refused, "node 1 has lost its disk"), node: NodeID(1))
        #expect(rules.judge(hello: Self.hello()) == refusal)
        #expect(rules.judge(welcome: HandshakeRecord(welcome: Self.peer), from: NodeID(1), for: .link) == refusal)
        var other = Self.peer
        other.identity.incarnation = 7
        #expect(rules.judge(hello: Self.hello(other.identity)) == .agreed(other, for: .link))
        #expect(
            rules.judge(welcome: HandshakeRecord(welcome: other), from: NodeID(1), for: .link)
                == .agreed(other, for: .link))
    }

    @Test func `the dialling side checks who answers`() {
        #expect(
            Self.rules().judge(welcome: HandshakeRecord(welcome: Self.peer), from: NodeID(3), for: .link)
                == .refused(
                    Refusal(.refused, "node 1 answered in the place of node 3: check the address of node 3"),
                    node: NodeID(3)))
        let foreign = Introduction(
            identity: .sample(1, cluster: 5, name: "other"), maxFrameBytes: 2048, maxMessageBytes: 4096)
        guard
            case .refused(let refusal, _) = Self.rules().judge(
                welcome: HandshakeRecord(welcome: foreign), from: NodeID(1), for: .link)
        else {
            Issue.record("a node of another cluster is welcome")
            return
        }
        #expect(refusal.sentence.contains("\"test\"") && refusal.sentence.contains("\"other\""))
    }

    @Test func `limits that would let nothing through are broken`() {
        let mean = Introduction(identity: .sample(1), maxFrameBytes: 10, maxMessageBytes: 10)
        let verdict = Self.rules().judge(welcome: HandshakeRecord(welcome: mean), from: NodeID(1), for: .link)
        guard case .broken = verdict else {
            Issue.record("\(verdict)")
            return
        }
    }
}
