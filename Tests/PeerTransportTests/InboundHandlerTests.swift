import ByteCoding
import Logging
import NIOCore
import NIOEmbedded
import Raft
import Testing

@testable import PeerTransport

@Suite("The accepting side of a connection")
struct InboundHandlerTests {
    private let delegate = RecordingDelegate()
    private let log = Recorder<RecordingLog.Line>()

    private func context(_ limits: PeerTransportLimits = PeerTransportLimits()) -> TransportContext {
        .sample(limits: limits, delegate: delegate, log: log)
    }

    private func accept(_ shared: TransportContext) throws -> EmbeddedChannel {
        try .connected(InboundHandler(shared: shared) { _ in })
    }

    private static var hello: Bytes {
        let introduction = Introduction(identity: .sample(1), maxFrameBytes: 256 << 10, maxMessageBytes: 80 << 20)
        return HandshakeRecord(hello: Hello(wanted: NodeID(2), introduction: introduction)).encode()
    }

    private static func clock(_ value: UInt64) -> Bytes {
        var writer = ByteWriter()
        writer.append(value)
        return writer.take()
    }

    /// The record at the front of what was sent.
    private static func record(_ bytes: Bytes) throws -> HandshakeDecoder.Result? {
        var decoder = HandshakeDecoder()
        return try bytes.withUnsafeBytes { (bytes) throws(HandshakeError) in try decoder.decode(bytes) }
    }

    @Test func `a peer is welcome, becomes a link with its first frame, and its messages arrive together`() throws {
        let shared = context()
        let channel = try accept(shared)
        try channel.receive(Self.hello)
        #expect(try Self.record(channel.sent())?.record == HandshakeRecord(welcome: shared.introduction))
        #expect(delegate.events.elements.isEmpty)
        var encoder = FrameEncoder.sample()
        try channel.receive(
            encoder.link(.ping, Self.clock(5)) + encoder.stream([.heartbeat(1), .append(1, bytes: 10)]))
        #expect(
            delegate.events.elements == [
                .connected(.sample(1), .accepted),
                .messages([.heartbeat(1), .append(1, bytes: 10)], from: NodeID(1)),
            ])
        let pong = try frames(in: channel.sent())
        #expect(pong.map(\.header.kind) == [.pong])
        #expect(pong.map(\.payload) == [Self.clock(5)])
        #expect(pong.first?.header.to == NodeID(1))
        _ = try channel.finish()
        #expect(delegate.events.elements.last == .disconnected(NodeID(1), .accepted, .closedByPeer))
    }

    @Test(arguments: [
        "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", "*1\r\n$4\r\nPING\r\n", "\u{16}\u{3}\u{1}\u{2}", "\0\0\0\0",
        "ROOSTP\n",
    ])
    func `what is no peer is closed with one line and nothing else`(text: String) throws {
        let shared = context()
        let channel = try accept(shared)
        try channel.receive(Bytes(text))
        #expect(!channel.isActive)
        #expect(try channel.sent().isEmpty)
        #expect(log.elements.map(\.level) == [.debug])
        #expect(delegate.events.elements.isEmpty)
        var statistics = PeerTransportStatistics(
            peers: [], pendingHandshakes: 0, turnedAway: 0, unroutableMessages: 0)
        shared.accepted.describe(into: &statistics)
        #expect(statistics.turnedAway == 1)
        #expect(statistics.pendingHandshakes == 0)
    }

    @Test(arguments: [false, true])
    func `1,000 random byte strings, before or after a good hello, reach nobody`(isAfterHello: Bool) throws {
        let shared = context(PeerTransportLimits(maxFrameBytes: 4096, maxMessageBytes: 8192))
        for seed in 0..<1000 as Range<UInt64> {
            var random = SplitMix64(seed: seed)
            let channel = try accept(shared)
            if isAfterHello { try channel.receive(Self.hello) }
            for _ in 0..<3 where channel.isActive {
                try channel.receive(random.bytes(Int.random(in: 1...200, using: &random)))
            }
            _ = try channel.finish(acceptAlreadyClosed: true)
        }
        #expect(delegate.events.elements.isEmpty)
    }

    @Test func `half a hello ends at the handshake timeout`() throws {
        let channel = try accept(context())
        try channel.receive(Self.hello.slice(0..<20))
        channel.embeddedEventLoop.advanceTime(by: .milliseconds(1999))
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .milliseconds(1))
        #expect(!channel.isActive)
    }

    @Test func `a welcomed peer that never sends a frame ends at the handshake timeout, and was never a link`() throws {
        let channel = try accept(context())
        try channel.receive(Self.hello)
        channel.embeddedEventLoop.advanceTime(by: .seconds(2))
        #expect(!channel.isActive)
        #expect(delegate.events.elements.isEmpty)
    }

    @Test func `a peer of another version is told so, in a form that every version reads`() throws {
        let channel = try accept(context())
        try channel.receive(HandshakeRecord(version: 9, kind: .hello, body: "from the future").encode())
        let answer = try #require(try Self.record(channel.sent())).record
        #expect(answer.kind == .refusal)
        let own = "version \(HandshakeRecord.version)"
        #expect(answer.sentence.contains(own) && answer.sentence.contains("version 9"))
        #expect(!channel.isActive)
        #expect(log.elements.map(\.level) == [.warning])
    }

    @Test func `the same refusal is a warning once, then debug, until the peer is accepted`() throws {
        let refusals = RefusalLog(logger: RecordingLog.logger(log))
        refusals.log(Refusal(.refused, "no"), message: "refused", peer: "1", direction: .accepted)
        refusals.log(Refusal(.refused, "no"), message: "refused", peer: "1", direction: .accepted)
        refusals.log(Refusal(.refused, "no"), message: "refused", peer: "1", direction: .dialled)
        refusals.log(Refusal(.refused, "other"), message: "refused", peer: "1", direction: .accepted)
        refusals.clear(peer: "1", direction: .accepted)
        refusals.log(Refusal(.refused, "other"), message: "refused", peer: "1", direction: .accepted)
        #expect(log.elements.map(\.level) == [.warning, .debug, .warning, .warning, .warning])
    }

    @Test func `strangers with ever new ids cannot fill the memory or the log`() {
        let refusals = RefusalLog(logger: RecordingLog.logger(log))
        for id in 0..<1000 {
            refusals.log(Refusal(.refused, "no"), message: "refused", peer: "\(id)", direction: .accepted)
        }
        #expect(log.elements.count { $0.level == .warning } == RefusalLog.maxRemembered)
    }

    @Test func `a refusal by the dialling side is logged here, and there never was a link`() throws {
        let channel = try accept(context())
        try channel.receive(Self.hello)
        var encoder = FrameEncoder.sample()
        try channel.receive(encoder.link(.refusal, "node 2 has lost its disk"))
        #expect(!channel.isActive)
        #expect(log.elements.map(\.level) == [.warning])
        #expect(log.elements.first?.metadata["reason"] == "node 2 has lost its disk")
        #expect(delegate.events.elements.isEmpty)
    }

    @Test func `an oversized frame ends the link; what came before it is delivered`() throws {
        let channel = try accept(context())
        try channel.receive(Self.hello)
        var encoder = FrameEncoder.sample()
        try channel.receive(encoder.stream([.heartbeat(1)]) + Bytes([0xFF, 0xFF, 0xFF, 0x7F]))
        #expect(!channel.isActive)
        let events = delegate.events.elements
        #expect(events.dropFirst().first == .messages([.heartbeat(1)], from: NodeID(1)))
        #expect(
            events.last
                == .disconnected(
                    NodeID(1), .accepted,
                    .protocolError("a frame of 2147483651 bytes (40 to 262144 are allowed)")))
        #expect(log.elements.contains { $0.level == .warning })
    }

    @Test(arguments: [
        PeerMessage.heartbeat(1, from: 9), PeerMessage.heartbeat(1, to: 9),
    ])
    func `a message from or for another node ends the link`(message: PeerMessage) throws {
        let channel = try accept(context())
        try channel.receive(Self.hello)
        var encoder = FrameEncoder.sample(from: message.from.rawValue, to: message.to.rawValue)
        try channel.receive(encoder.stream([message]))
        #expect(!channel.isActive)
        #expect(delegate.messages.isEmpty)
    }

    @Test func `a silent peer is dead after the link timeout, one that pings is not`() throws {
        let channel = try accept(context())
        try channel.receive(Self.hello)
        var encoder = FrameEncoder.sample()
        for second in 1...10 as ClosedRange<UInt64> {
            try channel.receive(encoder.link(.ping, Self.clock(second)))
            channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        }
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .milliseconds(3999))
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .milliseconds(1))
        #expect(!channel.isActive)
        #expect(delegate.events.elements.last == .disconnected(NodeID(1), .accepted, .silent))
    }

    @Test func `a newer connection of the same node takes the place of the older`() throws {
        let shared = context()
        let older = try accept(shared)
        let newer = try accept(shared)
        var encoder = FrameEncoder.sample()
        for channel in [older, newer] {
            try channel.receive(Self.hello)
            try channel.receive(encoder.stream([.heartbeat(1)]))
        }
        #expect(!older.isActive)
        #expect(newer.isActive)
        #expect(
            delegate.events.elements == [
                .connected(.sample(1), .accepted), .messages([.heartbeat(1)], from: NodeID(1)),
                .disconnected(NodeID(1), .accepted, .replaced),
                .connected(.sample(1), .accepted), .messages([.heartbeat(1)], from: NodeID(1)),
            ])
    }

    @Test func `connections beyond the limit of pending handshakes are closed at once`() throws {
        let shared = context(PeerTransportLimits(maxPendingHandshakes: 2))
        let channels = try (0..<3).map { _ in try accept(shared) }
        #expect(channels.map(\.isActive) == [true, true, false])
        try channels[0].receive(Self.hello)
        var encoder = FrameEncoder.sample()
        try channels[0].receive(encoder.stream([.heartbeat(1)]))
        #expect(try accept(shared).isActive)
    }
}
