import ByteCoding
import Logging
import NIOCore
import Raft

/// The dialling side of a connection: introduces this node, then empties the outbox into the socket and pings.
///
/// ```
/// dialled                          accepted
///   hello ----------------------->
///         <----------------------- welcome | refusal, then the end
///   ping (or refusal, the end) --->          the first frame makes it a link for the accepting side
///   messages, pings ------------->
///         <----------------------- pongs
/// ```
///
/// Pings stand for TCP's own keepalive, which by default asks after two hours, and for the missing traffic in the other
/// direction: a peer whose process hangs is found dead too, though its kernel still acknowledges.
///
/// Fault injection, once it exists, acts on the batch in `pump` (delay, drop, duplicate, cut) and nowhere else on this side.
final class OutboundHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// How a connection that was made ended.
    enum End: Hashable, Sendable {
        /// It was a link.
        case link(LinkEnd)
        /// One side did not want the other.
        case refused(String)
        /// The handshake did not come to its end.
        case failed(String)
    }

    private enum Phase {
        /// The hello is sent. Can become `up` or `ended`.
        case handshaking
        /// Messages go out. Can become `ended`.
        case up
        /// Closed, or about to be.
        case ended
    }

    /// Batches written in one turn of the event loop before others get theirs.
    private static let batchesPerTurn = 8

    private let wanted: NodeID
    private let shared: TransportContext
    private let outbox: Outbox
    private let onEnd: (End) -> Void
    private var phase = Phase.handshaking
    private var end: End?
    private var handshake = HandshakeDecoder()
    private var frames: FrameDecoder
    private var batches: BatchEncoder
    private var received: [Frame] = []
    /// How many more batches may be written in this turn of the event loop.
    private var batchesLeft = OutboundHandler.batchesPerTurn
    /// The next turn goes on with `pump` by itself.
    private var isContinuing = false
    private var timer: Scheduled<Void>?
    private var startedAt = NIODeadline.uptimeNanoseconds(0)
    private var lastHeard = NIODeadline.uptimeNanoseconds(0)

    /// - Parameter onEnd: called once, on the event loop, if the connection ever became active.
    init(wanted: NodeID, shared: TransportContext, outbox: Outbox, onEnd: @escaping (End) -> Void) {
        self.wanted = wanted
        self.shared = shared
        self.outbox = outbox
        self.onEnd = onEnd
        frames = FrameDecoder(maxFrameBytes: shared.limits.maxFrameBytes)
        batches = Self.makeBatches(
            wanted: wanted, shared: shared, outbox: outbox, maxFrameBytes: shared.limits.maxFrameBytes)
    }

    private static func makeBatches(
        wanted: NodeID, shared: TransportContext, outbox: Outbox, maxFrameBytes: Int
    ) -> BatchEncoder {
        BatchEncoder(
            frames: FrameEncoder(
                cluster: shared.clusterID, from: shared.node, to: wanted, maxFrameBytes: maxFrameBytes),
            outbox: outbox)
    }

    func channelActive(context: ChannelHandlerContext) {
        startedAt = context.eventLoop.now
        let hello = HandshakeRecord(hello: Hello(wanted: wanted, introduction: shared.introduction))
        write(hello.encode(), context: context)
        schedule(after: shared.limits.handshakeTimeout, context: context) { handler, context in
            handler.finish(.failed("no answer to the handshake"), context: context)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        switch phase {
        case .handshaking: buffer.withUnsafeReadableBytes { answer($0, context: context) }
        case .up: buffer.withUnsafeReadableBytes { pongs($0, context: context) }
        case .ended: break
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        pump(context: context)
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case LinkEvent.outboxFilled:
            batchesLeft = Self.batchesPerTurn
            pump(context: context)
        case LinkEvent.stop:
            finish(phase == .up ? .link(.stopped) : .failed("this node stops"), context: context)
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let failure = ErrorText(error)
        if failure.isClosedByPeer { return finish(nil, context: context) }
        finish(phase == .up ? .link(.failed(failure.text)) : .failed(failure.text), context: context)
    }

    func channelInactive(context: ChannelHandlerContext) {
        finish(nil, context: context)
        timer?.cancel()
        let ended = end ?? .failed("the peer closed the connection during the handshake")
        if case .link(let reason) = ended {
            outbox.close()
            shared.delegate.peerDisconnected(wanted, direction: .dialled, reason: reason)
        }
        onEnd(ended)
    }

    /// Closes the connection; `reason` is `nil` if the other side did. Only the first reason counts.
    private func finish(_ reason: End?, context: ChannelHandlerContext) {
        guard phase != .ended else { return }
        end = reason ?? (phase == .up ? .link(.closedByPeer) : nil)
        phase = .ended
        context.close(promise: nil)
    }

    // MARK: Handshake

    private func answer(_ bytes: UnsafeRawBufferPointer, context: ChannelHandlerContext) {
        do throws(HandshakeError) {
            guard let result = try handshake.decode(bytes) else { return }
            if result.record.kind == .refusal {
                return finish(.refused(result.record.sentence), context: context)
            }
            switch shared.rules.judge(welcome: result.record, from: wanted) {
            case .agreed(let introduction):
                goUp(introduction, context: context)
                result.rest.withUnsafeBytes { pongs($0, context: context) }
            case .refused(let sentence, _):
                refuse(sentence, context: context)
            case .broken(let what):
                finish(.failed(what), context: context)
            }
        } catch { finish(.failed(error.description), context: context) }
    }

    private func refuse(_ sentence: String, context: ChannelHandlerContext) {
        write(.refusal, payload: HandshakeRecord(refusal: sentence).body, context: context)
        finish(.refused(sentence), context: context)
    }

    private func goUp(_ introduction: Introduction, context: ChannelHandlerContext) {
        let now = context.eventLoop.now
        let limits = shared.limits
        phase = .up
        lastHeard = now
        batches = Self.makeBatches(
            wanted: wanted, shared: shared, outbox: outbox,
            maxFrameBytes: min(limits.maxFrameBytes, introduction.maxFrameBytes))
        outbox.record {
            $0.identity = introduction.identity
            $0.roundTrip = .nanoseconds((now - self.startedAt).nanoseconds)
            $0.refusal = nil
            $0.lastFailure = nil
        }
        shared.refusals.clear(peer: "\(wanted)", direction: .dialled)
        shared.logger.info(
            "peer link up",
            metadata: ["peer.id": "\(wanted)", "peer.direction": "\(LinkDirection.dialled.rawValue)"])
        outbox.open(maxMessageBytes: min(limits.maxMessageBytes, introduction.maxMessageBytes))
        ping(context: context)
        // The ping's write may have found the connection reset, and ended it on the spot.
        guard phase == .up else { return }
        shared.delegate.peerConnected(introduction.identity, direction: .dialled)
    }

    // MARK: Messages

    /// Gives the socket the next batch whenever it has taken the one before.
    ///
    /// A socket that takes everything at once reports that it is writable from within the write, so this is entered again
    /// from there; that is why the batches of a turn are counted in a property.
    private func pump(context: ChannelHandlerContext) {
        outbox.acknowledgeWake()
        guard phase == .up, !isContinuing else { return }
        while context.channel.isWritable {
            guard batchesLeft > 0 else { return continueNextTurn(context: context) }
            let batch = batches.next()
            guard !batch.isEmpty else { return }
            batchesLeft -= 1
            write(batch, context: context)
        }
    }

    private func continueNextTurn(context: ChannelHandlerContext) {
        isContinuing = true
        context.eventLoop.assumeIsolated().execute { [self] in
            isContinuing = false
            batchesLeft = Self.batchesPerTurn
            pump(context: context)
        }
    }

    private func write(_ kind: FrameKind, payload: Bytes, context: ChannelHandlerContext) {
        write(batches.encode(kind, payload: payload), context: context)
    }

    private func write(_ bytes: Bytes, context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(context.channel.allocator.buffer(bytes)), promise: nil)
    }

    // MARK: Liveness

    /// Asks; looks again after the ping interval, and takes the peer for dead when nothing came for the link timeout.
    private func ping(context: ChannelHandlerContext) {
        let now = context.eventLoop.now
        guard phase == .up else { return }
        if now - lastHeard >= .init(shared.limits.linkTimeout) { return finish(.link(.silent), context: context) }
        var clock = ByteWriter()
        clock.append(now.uptimeNanoseconds)
        write(.ping, payload: clock.take(), context: context)
        schedule(after: shared.limits.pingInterval, context: context) { handler, context in
            handler.ping(context: context)
        }
    }

    private func pongs(_ bytes: UnsafeRawBufferPointer, context: ChannelHandlerContext) {
        received.removeAll(keepingCapacity: true)
        do throws(FrameError) {
            try frames.decode(bytes, into: &received)
            for frame in received { try pong(frame, now: context.eventLoop.now) }
        } catch { finish(.link(.protocolError(error.description)), context: context) }
    }

    private func pong(_ frame: Frame, now: NIODeadline) throws(FrameError) {
        guard frame.header.kind == .pong else { throw .unexpected(frame.header.kind) }
        guard frame.header.cluster == shared.clusterID else { throw .foreignCluster }
        guard frame.header.from == wanted, frame.header.to == shared.node else {
            throw .addresses(from: frame.header.from, to: frame.header.to)
        }
        var reader = ByteReader(frame.payload)
        let sentAt: UInt64
        do throws(MalformedBytes) { sentAt = try reader.u64("clock") } catch { throw .malformed(error) }
        guard sentAt <= now.uptimeNanoseconds else { throw .malformed(MalformedBytes("clock", at: 0)) }
        lastHeard = now
        outbox.record { $0.roundTrip = .nanoseconds(Int64(clamping: now.uptimeNanoseconds - sentAt)) }
    }

    /// Replaces the timer: there is one at a time, first for the handshake, then for pings.
    private func schedule(
        after delay: Duration, context: ChannelHandlerContext,
        _ action: @escaping (OutboundHandler, ChannelHandlerContext) -> Void
    ) {
        timer?.cancel()
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: .init(delay)) { [self] in action(self, context) }
    }
}
