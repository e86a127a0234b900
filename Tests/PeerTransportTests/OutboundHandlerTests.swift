import ByteCoding
import NIOCore
import NIOEmbedded
import Raft
import Testing

@testable import PeerTransport

@Suite("The dialling side of a connection")
struct OutboundHandlerTests {
    private let delegate = RecordingDelegate()
    private let ends = Recorder<OutboundHandler.End>()

    /// Node 1 dials node 2 over an embedded channel.
    private struct Link {
        var channel: EmbeddedChannel
        var outbox: Outbox

        func offer(_ messages: [PeerMessage]) {
            var refused: [PeerMessage] = []
            if outbox.offer(messages, for: NodeID(2), refused: &refused).mustWake {
                channel.pipeline.fireUserInboundEventTriggered(LinkEvent.outboxFilled)
            }
        }
    }

    private func dial(
        limits: PeerTransportLimits = PeerTransportLimits(), gate: Gate? = nil, delegate: RecordingDelegate? = nil
    ) throws -> Link {
        let outbox = Outbox(limits: limits)
        let handler = OutboundHandler(
            wanted: NodeID(2), shared: .sample(1, limits: limits, delegate: delegate ?? self.delegate), outbox: outbox
        ) { [ends] in ends.append($0) }
        let handlers: [any ChannelHandler] = gate.map { [$0, handler] } ?? [handler]
        let channel = EmbeddedChannel(handlers: handlers)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        return Link(channel: channel, outbox: outbox)
    }

    /// A link that is up; what it sent for that is read.
    private func connect(limits: PeerTransportLimits = PeerTransportLimits(), gate: Gate? = nil) throws -> Link {
        let link = try dial(limits: limits, gate: gate)
        try link.channel.receive(Self.welcome())
        gate?.release(link.channel)
        _ = try link.channel.sent()
        return link
    }

    private static func welcome(_ identity: PeerIdentity = .sample(2), maxFrameBytes: Int = 256 << 10) -> Bytes {
        HandshakeRecord(
            welcome: Introduction(identity: identity, maxFrameBytes: maxFrameBytes, maxMessageBytes: 80 << 20)
        ).encode()
    }

    /// A socket that takes one batch, then no more until it is released.
    private final class Gate: ChannelOutboundHandler {
        typealias OutboundIn = ByteBuffer

        func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
            (context.channel as? EmbeddedChannel)?.isWritable = false
            context.write(data, promise: promise)
        }

        func release(_ channel: EmbeddedChannel) {
            channel.isWritable = true
            channel.pipeline.fireChannelWritabilityChanged()
        }
    }

    @Test func `the hello names both nodes; the welcome opens the outbox; the first frame is a ping`() throws {
        let link = try dial()
        var decoder = HandshakeDecoder()
        let sent = try link.channel.sent()
        let record = try sent.withUnsafeBytes { (bytes) throws(HandshakeError) in try decoder.decode(bytes) }?.record
        let hello = try #require(try record?.hello())
        #expect(hello.wanted == NodeID(2))
        #expect(hello.introduction.identity == .sample(1))
        try link.channel.receive(Self.welcome())
        #expect(delegate.events.elements == [.connected(.sample(2), .dialled)])
        link.offer([.heartbeat(1)])
        let frames = try frames(in: link.channel.sent())
        #expect(frames.map(\.header.kind) == [.ping, .raft])
    }

    @Test func `while the socket is full bulk waits, and control that comes later leads the next batch`() throws {
        let gate = Gate()
        let link = try connect(limits: PeerTransportLimits(maxFrameBytes: 1024), gate: gate)
        link.offer((1...10).map { .append($0, bytes: 600) })
        #expect(try messages(in: link.channel.sent()) == [.append(1, bytes: 600)])
        link.offer([.heartbeat(7)])
        #expect(try link.channel.sent().isEmpty)
        gate.release(link.channel)
        #expect(try messages(in: link.channel.sent()) == [.heartbeat(7), .append(2, bytes: 600)])
    }

    @Test func `a long queue is sent in several turns of the event loop`() throws {
        let link = try connect(limits: PeerTransportLimits(maxFrameBytes: 1024))
        link.offer((1...100).map { .append($0, bytes: 600) })
        let firstTurn = try messages(in: link.channel.sent())
        #expect(firstTurn.count < 100)
        link.channel.embeddedEventLoop.run()
        let rest = try messages(in: link.channel.sent())
        #expect(firstTurn + rest == (1...100).map { .append($0, bytes: 600) })
    }

    @Test func `frames are cut to what the other side takes`() throws {
        let link = try dial()
        try link.channel.receive(Self.welcome(maxFrameBytes: 2048))
        _ = try link.channel.sent()
        link.offer([.append(1, bytes: 10_000)])
        #expect(try messages(in: link.channel.sent(), maxFrameBytes: 2048) == [.append(1, bytes: 10_000)])
    }

    @Test func `no answer to the hello within the handshake timeout ends the attempt`() throws {
        let link = try dial()
        link.channel.embeddedEventLoop.advanceTime(by: .seconds(2))
        #expect(!link.channel.isActive)
        #expect(ends.elements == [.failed("no answer to the handshake")])
        #expect(delegate.events.elements.isEmpty)
    }

    @Test func `a peer that answers pings stays, one that doesn't is dead after the link timeout`() throws {
        let link = try connect()
        var encoder = FrameEncoder.sample(from: 2, to: 1)
        for _ in 0..<20 {
            link.channel.embeddedEventLoop.advanceTime(by: .seconds(1))
            for ping in try frames(in: link.channel.sent()) {
                try link.channel.receive(encoder.link(.pong, ping.payload))
            }
        }
        #expect(link.channel.isActive)
        link.channel.embeddedEventLoop.advanceTime(by: .milliseconds(4999))
        #expect(link.channel.isActive)
        link.channel.embeddedEventLoop.advanceTime(by: .milliseconds(1))
        #expect(!link.channel.isActive)
        #expect(ends.elements == [.link(.silent)])
        #expect(delegate.events.elements.last == .disconnected(NodeID(2), .dialled, .silent))
    }

    @Test func `a refusal by the other side is what it said`() throws {
        let link = try dial()
        let refusal = Refusal(.refused, "this is node 3, not node 2")
        let answerer = Introduction(identity: .sample(3), maxFrameBytes: 2048, maxMessageBytes: 4096)
        try link.channel.receive(HandshakeRecord(refusal, by: answerer).encode())
        #expect(ends.elements == [.refused(refusal)])
        #expect(!link.channel.isActive)
    }

    @Test func `who is not wanted is told why before the end`() throws {
        let link = try dial(delegate: RecordingDelegate { _ in .refused("node 2 has lost its disk") })
        _ = try link.channel.sent()
        try link.channel.receive(Self.welcome())
        let frame = try #require(try frames(in: link.channel.sent()).first)
        #expect(frame.header.kind == .refusal)
        #expect(frame.payload.text == "node 2 has lost its disk")
        #expect(ends.elements == [.refused(Refusal(.refused, "node 2 has lost its disk"))])
    }

    @Test(arguments: ["-ERR unknown command\r\n", "HTTP/1.1 400 Bad Request\r\n"])
    func `what answers but is no Roost peer is a failure`(text: String) throws {
        let link = try dial()
        try link.channel.receive(Bytes(text))
        #expect(ends.elements == [.failed("what came is no handshake of a Roost peer")])
    }

    @Test func `messages on a connection of the wrong direction end it`() throws {
        let link = try connect()
        var encoder = FrameEncoder.sample(from: 2, to: 1)
        try link.channel.receive(encoder.stream([.heartbeat(1, from: 2, to: 1)]))
        #expect(ends.elements == [.link(.protocolError("a frame of kind raft in the wrong place"))])
    }

    @Test func `when the link ends the queue is dropped before the delegate hears of it`() throws {
        let gate = Gate()
        let link = try connect(limits: PeerTransportLimits(maxFrameBytes: 1024), gate: gate)
        link.offer((1...10).map { .append($0, bytes: 600) })
        _ = try link.channel.finish()
        var statistics = PeerStatistics(node: NodeID(2))
        link.outbox.describe(into: &statistics)
        #expect(statistics.droppedByDisconnect == 9)
        #expect(statistics.queuedMessages == 0)
        #expect(!statistics.isConnected)
        #expect(delegate.events.elements.last == .disconnected(NodeID(2), .dialled, .closedByPeer))
        #expect(ends.elements == [.link(.closedByPeer)])
    }
}
