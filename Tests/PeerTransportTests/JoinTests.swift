import ByteCoding
import NIOCore
import NIOEmbedded
import NIOPosix
import Raft
import Synchronization
import Testing

@testable import PeerTransport

@Suite("Joining a cluster", .timeLimit(.minutes(5)))
struct JoinTests {
    private static let group = MultiThreadedEventLoopGroup.singleton
    private static let request = JoinRequest(
        clusterName: "test", incarnation: 42, wantedNode: NodeID(9), advertisedPeer: "new:7400",
        advertisedRedis: "new:6400", advertisedHTTP: "new:8400")
    private static let acceptance = JoinAcceptance(
        node: NodeID(4), clusterID: 77, clusterName: "test", founders: [NodeID(1), NodeID(2)],
        members: [
            JoinMember(
                node: NodeID(1), incarnation: 1001, advertisedPeer: "peer-1:7400", advertisedRedis: "redis-1:6400",
                advertisedHTTP: ""),
            JoinMember(
                node: NodeID(4), incarnation: 42, advertisedPeer: "new:7400", advertisedRedis: "new:6400",
                advertisedHTTP: "new:8400"),
        ])

    private func ask(
        _ address: PeerAddress, _ request: JoinRequest = request, limits: PeerTransportLimits = .quick
    ) async throws(JoinError) -> JoinAnswer {
        try await JoinClient.ask(address, request, limits: limits, group: Self.group)
    }

    // MARK: Records

    private static let answers: [JoinAnswer] = [
        .accepted(acceptance), .redirect(PeerAddress(host: "::1", port: 7401)),
        .refused("the membership is changing", mayTryAgain: true), .refused("no", mayTryAgain: false),
    ]

    @Test(arguments: answers) func `an answer is read as it was written, and never when it is cut`(
        answer: JoinAnswer
    ) throws {
        let record = HandshakeRecord(answer)
        #expect(try record.joinAnswer() == answer)
        for end in 0..<record.body.count {
            let cut = HandshakeRecord(kind: record.kind, body: record.body.slice(0..<end))
            #expect(throws: MalformedBytes.self) { try cut.joinAnswer() }
        }
        let longer = HandshakeRecord(kind: record.kind, body: record.body + "x")
        #expect(throws: MalformedBytes.self) { try longer.joinAnswer() }
    }

    @Test(arguments: [NodeID(9), nil]) func `a request is read as it was written, and never when it is cut`(
        wanted: NodeID?
    ) throws {
        var request = Self.request
        request.wantedNode = wanted
        let record = HandshakeRecord(join: request)
        #expect(try record.purpose() == .join)
        #expect(try record.joinRequest() == request)
        for end in 1..<record.body.count {
            let cut = HandshakeRecord(kind: .hello, body: record.body.slice(0..<end))
            #expect(throws: MalformedBytes.self) { try cut.joinRequest() }
        }
    }

    @Test func `an acceptance for more members than a record holds becomes a refusal`() throws {
        var acceptance = Self.acceptance
        acceptance.members = (1...20_000).map {
            JoinMember(
                node: NodeID($0), incarnation: 0, advertisedPeer: String(repeating: "x", count: 50),
                advertisedRedis: "", advertisedHTTP: "")
        }
        guard case .refused(_, mayTryAgain: false) = try HandshakeRecord(.accepted(acceptance)).joinAnswer() else {
            Issue.record("20,000 members fit in a record")
            return
        }
    }

    // MARK: Over loopback

    @Test(arguments: answers) func `the delegate's answer reaches who asked, whenever it comes`(
        answer: JoinAnswer
    ) async throws {
        let asked = Recorder<JoinRequest>()
        let waiting = Recorder<@Sendable (JoinAnswer) -> Void>()
        let member = TestNode(
            .sample(1),
            delegate: RecordingDelegate(asked: { request, answer in
                asked.append(request)
                waiting.append(answer)
            }))
        try await withNodes(member) {
            let address = try await member.start()
            async let got = ask(address)
            let reply = try await waiting.first { _ in true }
            #expect(asked.elements == [Self.request])
            // The leader's thread decides later, and perhaps says it twice.
            NIOThreadPool.singleton.submit { _ in
                reply(answer)
                reply(.refused("too late", mayTryAgain: true))
            }
            try await #expect(got == answer)
            #expect(member.transport.statistics().turnedAway == 0)
        }
    }

    @Test func `a node that means another cluster is refused without asking the delegate`() async throws {
        let member = TestNode(.sample(1))
        try await withNodes(member) {
            let address = try await member.start()
            var request = Self.request
            request.clusterName = "other"
            try await #expect(
                ask(address, request)
                    == .refused(
                        "this is cluster \"test\", not cluster \"other\": "
                            + "check cluster-name and join of the node that joins", mayTryAgain: false))
        }
    }

    @Test func `without a decision the member says so in time`() async throws {
        var limits = PeerTransportLimits.quick
        limits.joinTimeout = .milliseconds(50)
        let member = TestNode(.sample(1), limits: limits, delegate: RecordingDelegate(asked: { _, _ in }))
        try await withNodes(member) {
            let address = try await member.start()
            try await #expect(ask(address) == .refused("no decision in 0.05 seconds", mayTryAgain: true))
        }
    }

    @Test func `only so many nodes may wait for a decision at a time`() async throws {
        var limits = PeerTransportLimits.quick
        limits.maxPendingJoins = 2
        let waiting = Recorder<@Sendable (JoinAnswer) -> Void>()
        let member = TestNode(
            .sample(1), limits: limits, delegate: RecordingDelegate(asked: { _, answer in waiting.append(answer) }))
        try await withNodes(member) {
            let address = try await member.start()
            async let first = ask(address)
            async let second = ask(address)
            try await waiting.wait { $0.count == 2 }
            try await #expect(ask(address) == .refused("too many nodes join at once", mayTryAgain: true))
            for answer in waiting.elements { answer(.accepted(Self.acceptance)) }
            try await #expect([first, second] == [.accepted(Self.acceptance), .accepted(Self.acceptance)])
            // Their places are free again.
            async let third = ask(address)
            try await waiting.wait { $0.count == 3 }.last?(.refused("no", mayTryAgain: false))
            try await #expect(third == .refused("no", mayTryAgain: false))
        }
    }

    @Test func `a member that stops says so; one that is not there is an error`() async throws {
        let waiting = Recorder<@Sendable (JoinAnswer) -> Void>()
        let member = TestNode(.sample(1), delegate: RecordingDelegate(asked: { _, answer in waiting.append(answer) }))
        let address = try await member.start()
        async let got = ask(address)
        try await waiting.first { _ in true }
        await member.transport.stop()
        try await #expect(got == .refused("this node stops", mayTryAgain: true))
        let error = await #expect(throws: JoinError.self) { try await ask(address) }
        #expect(error?.mayTryAgain == true)
        #expect(error?.description == "cannot join through \(address): Connection refused")
    }

    @Test(arguments: [
        ("-ERR unknown command\r\n", "what came is no handshake of a Roost peer"),
        ("", "the member closed the connection without an answer"),
    ])
    func `what is no member is an error`(answer: String, cause: String) async throws {
        let peer = try await RawPeer.start(answer: Bytes(answer))
        async let got = ask(peer.address)
        if answer.isEmpty {
            _ = try await peer.received(moreThan: 16)
            try await peer.stop()
        }
        var error: JoinError?
        do { _ = try await got } catch let failure as JoinError { error = failure }
        #expect(error?.cause == cause)
        try? await peer.stop()
    }

    @Test func `a member of an older version refuses in words that every version reads`() async throws {
        // What version 1 answers to any hello of another version.
        let sentence = "node 1 speaks version 1 of the peer protocol, the other side version 2: upgrade the older one"
        let old = try await RawPeer.start(
            answer: HandshakeRecord(version: 1, kind: .refusal, body: Bytes(sentence)).encode())
        try await #expect(ask(old.address) == .refused(sentence, mayTryAgain: false))
        let first = try #require(try HandshakeRecordReader.record(try await old.received(moreThan: 16)))
        // Whatever a connection is for, it begins with a hello, so that an old member knows what to answer.
        #expect(first.kind == .hello)
        try await old.stop()
    }

    @Test func `1,000 random requests never crash a member`() throws {
        let delegate = RecordingDelegate(asked: { _, _ in })
        let shared = TransportContext.sample(delegate: delegate)
        for seed in 0..<1000 as Range<UInt64> {
            var random = SplitMix64(seed: seed)
            let channel = try EmbeddedChannel.connected(InboundHandler(shared: shared) { _ in })
            var body = HandshakeRecord(join: Self.request).body.array
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                body[Int.random(in: 0..<body.count, using: &random)] = UInt8.random(in: .min ... .max, using: &random)
            }
            body = Array(body.prefix(Int.random(in: 1...body.count, using: &random)))
            try channel.receive(HandshakeRecord(kind: .hello, body: Bytes(body)).encode())
            try? channel.receive(random.bytes(20))
            _ = try channel.finish(acceptAlreadyClosed: true)
        }
        #expect(delegate.events.elements.isEmpty)
    }

    // MARK: The whole

    private func join(
        through addresses: [PeerAddress], timeout: Duration = .seconds(50),
        log: Recorder<RecordingLog.Line> = Recorder()
    ) async throws(JoinError) -> JoinAcceptance {
        try await JoinClient.join(
            through: addresses, Self.request, limits: .quick, group: Self.group, timeout: timeout,
            logger: RecordingLog.logger(log))
    }

    @Test func `joining follows the redirection to the leader, past a member that is down`() async throws {
        let leader = TestNode(
            .sample(1), delegate: RecordingDelegate(asked: { _, answer in answer(.accepted(Self.acceptance)) }))
        let leaderAddress = try await leader.start()
        let follower = TestNode(
            .sample(2), delegate: RecordingDelegate(asked: { _, answer in answer(.redirect(leaderAddress)) }))
        try await withNodes(leader, follower) {
            let address = try await follower.start()
            try await #expect(join(through: [TestNode.nowhere, address]) == Self.acceptance)
        }
    }

    @Test func `joining tries again while it may, and stops at a refusal for good`() async throws {
        let asked = Recorder<JoinRequest>()
        let member = TestNode(
            .sample(1),
            delegate: RecordingDelegate(asked: { request, answer in
                asked.append(request)
                answer(
                    asked.elements.count < 4
                        ? .refused("no leader yet", mayTryAgain: true)
                        : .refused("node 9 belonged to another data directory", mayTryAgain: false))
            }))
        try await withNodes(member) {
            let address = try await member.start()
            let error = await #expect(throws: JoinError.self) { try await join(through: [address]) }
            #expect(error?.cause == "node 9 belonged to another data directory")
            #expect(error?.mayTryAgain == false)
            #expect(asked.elements == Array(repeating: Self.request, count: 4))
        }
    }

    @Test func `two followers that name each other are not followed for ever`() async throws {
        let other = Mutex<PeerAddress?>(nil)
        let member = TestNode(
            .sample(1),
            delegate: RecordingDelegate(asked: { _, answer in answer(.redirect(other.withLock { $0! })) }))
        try await withNodes(member) {
            let address = try await member.start()
            other.withLock { $0 = address }
            let error = await #expect(throws: JoinError.self) {
                try await join(through: [address], timeout: .milliseconds(100))
            }
            #expect(error?.cause == "it does not lead any more")
        }
    }
}

/// Reads the record at the front of some bytes.
enum HandshakeRecordReader {
    static func record(_ bytes: Bytes) throws(HandshakeError) -> HandshakeRecord? {
        var decoder = HandshakeDecoder()
        return try bytes.withUnsafeBytes { (bytes) throws(HandshakeError) in try decoder.decode(bytes) }?.record
    }
}
