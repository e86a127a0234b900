import ByteCoding
import NIOCore
import NIOEmbedded
import Raft
import Testing

@testable import PeerTransport

@Suite("The last messages of a link")
struct DrainTests {
    private let delegate = RecordingDelegate()
    private let ends = Recorder<OutboundHandler.End>()

    /// A link of node 1 with node 2 that is up, over a socket that is full after each write until the test empties it.
    private func connect(_ outbox: Outbox) throws -> EmbeddedChannel {
        let limits = PeerTransportLimits(maxFrameBytes: 1024)
        let handler = OutboundHandler(
            wanted: NodeID(2), shared: .sample(1, limits: limits, delegate: delegate), outbox: outbox
        ) { [ends] in ends.append($0) }
        let channel = try EmbeddedChannel.connected(FullSocket(), handler)
        let welcome = Introduction(identity: .sample(2), maxFrameBytes: 1024, maxMessageBytes: 1 << 20)
        try channel.receive(HandshakeRecord(welcome: welcome).encode())
        FullSocket.empty(channel)
        _ = try channel.sent()
        return channel
    }

    private final class FullSocket: ChannelOutboundHandler {
        typealias OutboundIn = ByteBuffer

        func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
            (context.channel as? EmbeddedChannel)?.isWritable = false
            context.write(data, promise: promise)
        }

        static func empty(_ channel: EmbeddedChannel) {
            channel.isWritable = true
            channel.pipeline.fireChannelWritabilityChanged()
        }
    }

    private func offer(_ messages: [PeerMessage], _ outbox: Outbox, _ channel: EmbeddedChannel) -> [PeerMessage] {
        var refused: [PeerMessage] = []
        if outbox.offer(messages, for: NodeID(2), refused: &refused).mustWake {
            channel.pipeline.fireUserInboundEventTriggered(LinkEvent.outboxFilled)
        }
        return refused
    }

    @Test func `a draining link takes nothing more, sends all it has, and closes when the socket has it`() throws {
        let outbox = Outbox(limits: PeerTransportLimits())
        let channel = try connect(outbox)
        let last: [PeerMessage] = (1...3).map { .append($0, bytes: 600) }
        #expect(offer(last, outbox, channel) == [])
        channel.pipeline.fireUserInboundEventTriggered(LinkEvent.drain)
        #expect(offer([.heartbeat(1)], outbox, channel) == [.heartbeat(1)])
        var arrived: [PeerMessage] = []
        for _ in 0..<10 where channel.isActive {
            arrived += try messages(in: channel.sent())
            FullSocket.empty(channel)
        }
        #expect(arrived == last)
        #expect(!channel.isActive)
        #expect(ends.elements == [.link(.stopped)])
    }

    @Test func `a peer that does not read is left after the drain timeout`() throws {
        let outbox = Outbox(limits: PeerTransportLimits())
        let channel = try connect(outbox)
        #expect(offer((1...3).map { .append($0, bytes: 600) }, outbox, channel) == [])
        channel.pipeline.fireUserInboundEventTriggered(LinkEvent.drain)
        channel.embeddedEventLoop.advanceTime(by: .milliseconds(999))
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .milliseconds(1))
        #expect(!channel.isActive)
        #expect(ends.elements == [.link(.stopped)])
    }

    @Test func `an idle link that drains closes at once`() throws {
        let channel = try connect(Outbox(limits: PeerTransportLimits()))
        channel.pipeline.fireUserInboundEventTriggered(LinkEvent.drain)
        #expect(!channel.isActive)
        #expect(delegate.events.elements.last == .disconnected(NodeID(2), .dialled, .stopped))
    }
}
