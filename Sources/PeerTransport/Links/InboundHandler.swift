import ByteCoding
import Logging
import NIOCore
import Raft

/// The accepting side of a connection (see `OutboundHandler` for the whole exchange): judges who comes, then hands every
/// message that arrives to the delegate.
///
/// What is no peer (HTTP, Redis, noise) is closed at its first wrong byte, with one line at the debug level.
///
/// A connection that is no link but carries a snapshot, or a request to join, is handed over to a handler of its own after
/// the hello; this one stays in front of it and keeps the books.
///
/// Fault injection acts on the messages in `deliver`; what is cut stops here: in `hello`, `take`, `watch` and
/// `channelInactive`.
final class InboundHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum Phase {
        /// Waits for the hello. Can become `welcomed` or `ended`.
        case handshaking
        /// The welcome is sent; the peer may still refuse. Can become `established` or `ended`.
        case welcomed
        /// The first frame came: this is a link. Can become `ended`.
        case established
        /// Another handler goes on with it. Can become `ended`.
        case handedOver
        /// Closed, or about to be.
        case ended
    }

    private let shared: TransportContext
    private let onEstablished: (NodeID) -> Void
    private var phase = Phase.handshaking
    private var handshake = HandshakeDecoder()
    private var frames: FrameDecoder
    /// Set with the welcome, like `peer`.
    private var assembler: MessageAssembler?
    private var peer: PeerIdentity?
    private var end: LinkEnd?
    private var received: [Frame] = []
    private var messages: [PeerMessage] = []
    private var pongs = ByteWriter()
    private var timer: Scheduled<Void>?
    /// Where messages wait and get lost while faults are set.
    private var gate: FaultGate?
    private var gateTimer: Scheduled<Void>?
    private var lastHeard = NIODeadline.uptimeNanoseconds(0)

    /// - Parameter onEstablished: called on the event loop when the connection has become the link of that node.
    init(shared: TransportContext, onEstablished: @escaping (NodeID) -> Void) {
        self.shared = shared
        self.onEstablished = onEstablished
        frames = FrameDecoder(maxFrameBytes: shared.limits.maxFrameBytes)
    }

    func channelActive(context: ChannelHandlerContext) {
        guard shared.accepted.admit(context.channel, maxPending: shared.limits.maxPendingHandshakes) else {
            phase = .ended
            shared.logger.debug("peer connection closed: too many handshakes", metadata: metadata(context))
            return context.close(promise: nil)
        }
        lastHeard = context.eventLoop.now
        schedule(after: shared.limits.handshakeTimeout, context: context) { handler, context in
            handler.handshakeTimedOut(context: context)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        lastHeard = context.eventLoop.now
        switch phase {
        case .handshaking: buffer.withUnsafeReadableBytes { hello($0, context: context) }
        case .welcomed, .established: buffer.withUnsafeReadableBytes { stream($0, context: context) }
        case .handedOver: context.fireChannelRead(data)
        case .ended: break
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        deliver(context: context)
        context.fireChannelReadComplete()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case LinkEvent.stop = event, phase != .handedOver else {
            return context.fireUserInboundEventTriggered(event)
        }
        finish(.stopped, context: context)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if phase == .handedOver { return context.fireErrorCaught(error) }
        let failure = ErrorText(error)
        finish(failure.isClosedByPeer ? closedByPeer : .failed(failure.text), context: context)
    }

    func channelInactive(context: ChannelHandlerContext) {
        if phase == .handedOver { context.fireChannelInactive() }
        finish(closedByPeer, context: context)
        timer?.cancel()
        gateTimer?.cancel()
        guard shared.accepted.release(context.channel, node: peer?.node), let peer else { return }
        let reason = end ?? .closedByPeer
        shared.logger.info(
            "peer link down", metadata: metadata(context, ["peer.id": "\(peer.node)", "reason": "\(reason)"]))
        shared.delegate.peerDisconnected(peer.node, direction: .accepted, reason: reason)
    }

    /// Over a network that is cut nobody hears that the other side has closed.
    private var closedByPeer: LinkEnd {
        peer.map { shared.faults.cuts($0.node, .both) } ?? false ? .silent : .closedByPeer
    }

    /// Closes the connection. What arrived before is delivered; only the first reason counts.
    private func finish(_ reason: LinkEnd, context: ChannelHandlerContext) {
        guard phase != .ended else { return }
        deliver(context: context)
        phase = .ended
        end = reason
        context.close(promise: nil)
    }

    // MARK: Handshake

    private func hello(_ bytes: UnsafeRawBufferPointer, context: ChannelHandlerContext) {
        do throws(HandshakeError) {
            guard let result = try handshake.decode(bytes) else { return }
            switch shared.rules.judge(hello: result.record) {
            // Nothing is answered over a network that is cut, and the handshake runs into its timeout.
            case .agreed(let introduction, _) where shared.faults.cuts(introduction.identity.node, .both): break
            case .agreed(let introduction, for: .snapshot):
                welcome(introduction.identity, context: context)
                shared.accepted.settle(context.channel)
                handOver(SnapshotReceiveHandler(peer: introduction.identity.node, shared: shared), result.rest, context)
            case .agreed(let introduction, _):
                welcome(introduction.identity, context: context)
                result.rest.withUnsafeBytes { stream($0, context: context) }
            case .join(let request):
                if shared.accepted.join(context.channel, maxPending: shared.limits.maxPendingJoins) {
                    handOver(JoinHandler(request: request, shared: shared), result.rest, context)
                } else {
                    write(HandshakeRecord(.refused("too many nodes join at once", mayTryAgain: true)), context)
                    finish(.protocolError("too many nodes join at once"), context: context)
                }
            case .refused(let refusal, let node):
                shared.refusals.log(refusal, message: "refused a peer", peer: name(node, context), direction: .accepted)
                write(HandshakeRecord(refusal, by: shared.introduction), context)
                finish(.protocolError(refusal.sentence), context: context)
            case .broken(let what): turnAway(what, context: context)
            }
        } catch { turnAway(error.description, context: context) }
    }

    private func handOver(_ handler: any ChannelHandler, _ rest: Bytes, _ context: ChannelHandlerContext) {
        phase = .handedOver
        timer?.cancel()
        do {
            try context.pipeline.syncOperations.addHandler(handler, position: .after(self))
        } catch { return finish(.failed("\(error)"), context: context) }
        if !rest.isEmpty { context.fireChannelRead(wrapInboundOut(context.channel.allocator.buffer(rest))) }
    }

    private func welcome(_ identity: PeerIdentity, context: ChannelHandlerContext) {
        phase = .welcomed
        peer = identity
        assembler = MessageAssembler(
            cluster: shared.clusterID, from: identity.node, to: shared.node,
            maxMessageBytes: shared.limits.maxMessageBytes)
        gate = FaultGate(peer: identity.node, direction: .incoming, limits: shared.limits)
        write(HandshakeRecord(welcome: shared.introduction), context)
    }

    private func turnAway(_ what: String, context: ChannelHandlerContext) {
        shared.logger.debug("peer connection closed", metadata: metadata(context, ["reason": "\(what)"]))
        finish(.protocolError(what), context: context)
    }

    private func handshakeTimedOut(context: ChannelHandlerContext) {
        turnAway("no handshake in time", context: context)
    }

    // MARK: Frames

    private func stream(_ bytes: UnsafeRawBufferPointer, context: ChannelHandlerContext) {
        received.removeAll(keepingCapacity: true)
        var failure: FrameError?
        do throws(FrameError) { try frames.decode(bytes, into: &received) } catch { failure = error }
        do throws(FrameError) {
            for frame in received { try take(frame, context: context) }
        } catch { failure = error }
        count(bytes: bytes.count, context: context)
        if pongs.count > 0 { write(pongs.take(), context: context) }
        if let failure { broken(failure, context: context) }
    }

    private func take(_ frame: Frame, context: ChannelHandlerContext) throws(FrameError) {
        guard phase != .ended, let peer else { return }
        try assembler?.check(frame.header)
        switch frame.header.kind {
        case .refusal: return refused(.refused, by: peer, frame, context: context)
        case .removed: return refused(.removed, by: peer, frame, context: context)
        default: break
        }
        if phase == .welcomed { establish(peer, context: context) }
        switch frame.header.kind {
        case .raft, .forward, .room, .comparisonRequest, .comparisonReport:
            if let message = try assembler?.accept(frame) { messages.append(message) }
        case .ping:
            guard !shared.faults.cuts(peer.node, .both) else { break }
            FrameHeader(kind: .pong, cluster: shared.clusterID, group: GroupID(0), from: shared.node, to: peer.node)
                .encode(payloadByteCount: frame.payload.count, into: &pongs)
            pongs.append(frame.payload)
        case .pong, .refusal, .removed, .snapshotOffer, .snapshotAccept, .snapshotChunk, .snapshotAck, .snapshotEnd,
            .snapshotDone, .snapshotRefused:
            throw .unexpected(frame.header.kind)
        }
    }

    private func refused(
        _ kind: Refusal.Kind, by peer: PeerIdentity, _ frame: Frame, context: ChannelHandlerContext
    ) {
        let refusal = Refusal(kind, HandshakeRecord.line(frame.payload))
        shared.refusals.log(
            refusal, message: "refused by a peer that dialled", peer: "\(peer.node)", direction: .accepted)
        finish(.protocolError(refusal.sentence), context: context)
        if kind == .removed { shared.delegate.peerSaysRemoved(by: peer, sentence: refusal.sentence) }
    }

    private func establish(_ peer: PeerIdentity, context: ChannelHandlerContext) {
        phase = .established
        if let older = shared.accepted.establish(peer, on: context.channel) {
            shared.delegate.peerDisconnected(peer.node, direction: .accepted, reason: .replaced)
            older.close(promise: nil)
        }
        shared.refusals.clear(peer: "\(peer.node)", direction: .accepted)
        shared.logger.info("peer link up", metadata: metadata(context, ["peer.id": "\(peer.node)"]))
        shared.delegate.peerConnected(peer, direction: .accepted)
        onEstablished(peer.node)
        watch(context: context)
    }

    private func count(bytes: Int, context: ChannelHandlerContext) {
        guard phase == .established, let peer else { return }
        let isCurrent = shared.accepted.received(
            frames: received.count, bytes: bytes, from: peer.node, on: context.channel)
        if !isCurrent {
            messages.removeAll()
            finish(.replaced, context: context)
        }
    }

    private func deliver(context: ChannelHandlerContext) {
        guard phase == .established, let peer, !messages.isEmpty else { return }
        let batch = messages
        messages = []
        if shared.faults.isActive || gate?.isEmpty == false {
            gate?.take(batch, board: shared.faults, now: context.eventLoop.now)
            return deliverHeldMessages(context: context)
        }
        shared.delegate.peerMessages(batch, from: peer.node)
    }

    /// Delivers what is due of the messages that faults hold back, and comes again when the next is.
    private func deliverHeldMessages(context: ChannelHandlerContext) {
        gateTimer?.cancel()
        guard phase == .established, let peer, shared.accepted.isLink(context.channel, of: peer.node) else { return }
        let due = gate?.release(now: context.eventLoop.now) ?? []
        gateTimer = gate?.nextDue.map { next in
            context.eventLoop.assumeIsolated().scheduleTask(deadline: next) { [self] in
                deliverHeldMessages(context: context)
            }
        }
        if !due.isEmpty { shared.delegate.peerMessages(due, from: peer.node) }
    }

    private func broken(_ failure: FrameError, context: ChannelHandlerContext) {
        guard phase == .established else { return turnAway(failure.description, context: context) }
        shared.logger.warning(
            "peer broke the protocol",
            metadata: metadata(context, ["peer.id": "\(peer?.node ?? NodeID(0))", "reason": "\(failure)"]))
        finish(.protocolError(failure.description), context: context)
    }

    // MARK: Liveness

    /// The peer pings, so silence means that it is gone. Looks again when the timeout would be over.
    private func watch(context: ChannelHandlerContext) {
        guard phase == .established else { return }
        // A connection outlasts a cut; the other side judges for itself.
        if let peer, shared.faults.cuts(peer.node, .both) { lastHeard = context.eventLoop.now }
        let quiet = context.eventLoop.now - lastHeard
        let timeout = TimeAmount(shared.limits.linkTimeout)
        if quiet >= timeout { return finish(.silent, context: context) }
        timer?.cancel()
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: timeout - quiet) { [self] in
            watch(context: context)
        }
    }

    private func schedule(
        after delay: Duration, context: ChannelHandlerContext,
        _ action: @escaping (InboundHandler, ChannelHandlerContext) -> Void
    ) {
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: .init(delay)) { [self] in action(self, context) }
    }

    // MARK: Helpers

    private func write(_ record: HandshakeRecord, _ context: ChannelHandlerContext) {
        write(record.encode(), context: context)
    }

    private func write(_ bytes: Bytes, context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(context.channel.allocator.buffer(bytes)), promise: nil)
    }

    private func name(_ node: NodeID?, _ context: ChannelHandlerContext) -> String {
        node.map(\.description) ?? context.remoteAddress?.ipAddress ?? "unknown"
    }

    private func metadata(_ context: ChannelHandlerContext, _ more: Logger.Metadata = [:]) -> Logger.Metadata {
        var metadata = more
        metadata["peer.direction"] = "\(LinkDirection.accepted.rawValue)"
        metadata["client.address"] = "\(context.remoteAddress.map(\.description) ?? "unknown")"
        return metadata
    }
}
