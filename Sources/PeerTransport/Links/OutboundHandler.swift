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
/// Fault injection acts on messages before they reach the outbox (`PeerLink.offerGate`); what is cut stops here: in
/// `answer`, `pump`, `ping`, `pong` and `channelInactive`.
final class OutboundHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// How a connection that was made ended.
    enum End: Hashable, Sendable {
        /// It was a link.
        case link(LinkEnd)
        /// One side did not want the other.
        case refused(Refusal)
        /// The handshake did not come to its end.
        case failed(String)
    }

    private enum Phase {
        /// The hello is sent. Can become `up` or `ended`.
        case handshaking
        /// Messages go out. Can become `draining` or `ended`.
        case up
        /// The last messages go out, no more are taken. Can become `drained` or `ended`.
        case draining
        /// The socket has everything; waits until the other side has read it and closes. Can become `ended`.
        case drained
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
    private var drainTimer: Scheduled<Void>?
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
        case .up, .draining: buffer.withUnsafeReadableBytes { pongs($0, context: context) }
        case .drained, .ended: break
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
        case LinkEvent.drain: drain(context: context)
        case LinkEvent.stop: stop(context: context)
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let failure = ErrorText(error)
        if failure.isClosedByPeer { return finish(nil, context: context) }
        finish(isLink ? .link(.failed(failure.text)) : .failed(failure.text), context: context)
    }

    func channelInactive(context: ChannelHandlerContext) {
        finish(nil, context: context)
        timer?.cancel()
        drainTimer?.cancel()
        let ended = end ?? .failed("the peer closed the connection during the handshake")
        if case .link(let reason) = ended {
            outbox.close()
            shared.delegate.peerDisconnected(wanted, direction: .dialled, reason: reason)
        }
        onEnd(ended)
    }

    private var isLink: Bool { phase == .up || phase == .draining }

    /// Closes the connection; `reason` is `nil` if the other side did. Only the first reason counts.
    private func finish(_ reason: End?, context: ChannelHandlerContext) {
        guard phase != .ended else { return }
        // Over a network that is cut nobody hears that the other side has closed.
        let closed = shared.faults.cuts(wanted, .both) ? LinkEnd.silent : .closedByPeer
        if phase != .drained { end = reason ?? (isLink ? .link(closed) : nil) }
        phase = .ended
        context.close(promise: nil)
    }

    private func stop(context: ChannelHandlerContext) {
        finish(
            isLink || phase == .drained ? .link(.stopped) : .failed("this node closed the connection"), context: context
        )
    }

    /// Sends what is queued now, then ends the stream; closes when the other side does, at the latest after the drain
    /// timeout.
    private func drain(context: ChannelHandlerContext) {
        guard phase == .up else { return stop(context: context) }
        phase = .draining
        outbox.seal()
        drainTimer = context.eventLoop.assumeIsolated().scheduleTask(in: .init(shared.limits.drainTimeout)) { [self] in
            stop(context: context)
        }
        batchesLeft = Self.batchesPerTurn
        pump(context: context)
    }

    // MARK: Handshake

    private func answer(_ bytes: UnsafeRawBufferPointer, context: ChannelHandlerContext) {
        do throws(HandshakeError) {
            guard let result = try handshake.decode(bytes), !shared.faults.cuts(wanted, .both) else { return }
            if let refusal = result.record.refusal {
                return refused(shared.rules.judge(refusal: refusal, from: wanted), context: context)
            }
            switch shared.rules.judge(welcome: result.record, from: wanted, for: .link) {
            case .agreed(let introduction, _):
                goUp(introduction, context: context)
                result.rest.withUnsafeBytes { pongs($0, context: context) }
            case .refused(let refusal, _): refuse(refusal, context: context)
            case .broken(let what): finish(.failed(what), context: context)
            case .join: preconditionFailure("nobody answers a hello with a join request")
            }
        } catch { finish(.failed(error.description), context: context) }
    }

    private func refused(_ refusal: Refusal, context: ChannelHandlerContext) {
        finish(.refused(refusal), context: context)
        if refusal.kind == .anotherDirectory { shared.delegate.peerKnowsAnotherDirectory(wanted) }
        if let peer = refusal.answerer { shared.delegate.peerSaysRemoved(by: peer, sentence: refusal.sentence) }
    }

    private func refuse(_ refusal: Refusal, context: ChannelHandlerContext) {
        write(refusal.kind.frame, payload: HandshakeRecord.body(ofRefusal: Bytes(refusal.sentence)), context: context)
        finish(.refused(refusal), context: context)
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
        guard isLink, !isContinuing else { return }
        guard !shared.faults.cuts(wanted, .outgoing) else { return lose(context: context) }
        while context.channel.isWritable {
            guard batchesLeft > 0 else { return continueNextTurn(context: context) }
            let batch = batches.next()
            guard !batch.isEmpty else { return drained(context: context) }
            batchesLeft -= 1
            write(batch, context: context)
        }
    }

    /// The socket has everything: being writable means that the kernel has taken all, see `PeerLink`.
    ///
    /// Only the sending half is closed: closing all with a pong unread would reset the connection, and what is on its way
    /// would be lost.
    private func drained(context: ChannelHandlerContext) {
        guard phase == .draining else { return }
        phase = .drained
        end = .link(.stopped)
        context.close(mode: .output, promise: nil)
    }

    /// What waits is lost in a network that is cut. A message of which some pieces are sent stays: its rest goes out when
    /// the cut is healed, so that the stream stays whole.
    private func lose(context: ChannelHandlerContext) {
        shared.faults.countDropped(outbox.removeAll(), peer: wanted)
        drained(context: context)
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
        guard isLink else { return }
        defer {
            if isLink {
                schedule(after: shared.limits.pingInterval, context: context) { handler, context in
                    handler.ping(context: context)
                }
            }
        }
        // A connection outlasts a cut; the other side judges for itself.
        guard !shared.faults.cuts(wanted, .both) else { return lastHeard = now }
        if now - lastHeard >= .init(shared.limits.linkTimeout) { return finish(.link(.silent), context: context) }
        var clock = ByteWriter()
        clock.append(now.uptimeNanoseconds)
        write(.ping, payload: clock.take(), context: context)
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
        guard !shared.faults.cuts(wanted, .incoming) else { return }
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
