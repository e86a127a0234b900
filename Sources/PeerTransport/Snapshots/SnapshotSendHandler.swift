import ByteCoding
import Logging
import NIOCore
import NIOPosix
import Raft

/// The dialling side of a snapshot's connection: reads the source piece by piece on a thread of its own, and keeps at most a
/// window of bytes under way. See `SnapshotFrame` for the exchange.
///
/// Fault injection acts on chunks in `send`; what is cut stops in `welcome`, `answer` and `watch`. What is dropped or cut
/// ends the connection.
final class SnapshotSendHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// How a connection ended.
    enum End: Hashable, Sendable {
        case delivered
        /// The receiver does not want it, or could not keep it.
        case refused(String)
        /// The source cannot be read.
        case sourceFailed(String)
        /// Another connection may get further.
        case broken(String)
        /// This side closed it.
        case stopped
    }

    /// What a handler tells its transfer, on the event loop.
    enum Event: Sendable {
        /// The receiver goes on from this offset.
        case accepted(UInt64)
        /// The receiver has everything before this offset, more than before on this connection; or it is checking the whole,
        /// and this is its sign of life.
        case progress(UInt64)
        /// Once.
        case ended(End)
    }

    private enum Phase {
        /// The hello is sent. Can become `offering` or `ended`.
        case handshaking
        /// The offer is sent. Can become `streaming` or `ended`.
        case offering
        /// Chunks go out. Can become `finishing` or `ended`.
        case streaming
        /// All is acknowledged, the receiver checks it. Can become `ended`.
        case finishing
        /// Closed, or about to be.
        case ended
    }

    private let transfer: SnapshotTransfer.Job
    private let shared: TransportContext
    private let threads: NIOThreadPool
    private let onEvent: (Event) -> Void
    private var phase = Phase.handshaking
    private var end: End?
    private var handshake = HandshakeDecoder()
    private var frames: FrameDecoder
    private var encoder: FrameEncoder
    private var received: [Frame] = []
    private var pace: SnapshotPace
    private var chunkBytes = 0
    /// `acknowledged <= sent <= read`: what the receiver has, what was handed to the socket, what was read.
    private var acknowledged: UInt64 = 0
    private var sent: UInt64 = 0
    private var readOffset: UInt64 = 0
    private var isReading = false
    private var lastDue = NIODeadline.uptimeNanoseconds(0)
    private var paceTimer: Scheduled<Void>?
    private var timer: Scheduled<Void>?
    /// Since when the receiver owes something.
    private var waitingSince = NIODeadline.uptimeNanoseconds(0)
    private var finishingSince = NIODeadline.uptimeNanoseconds(0)

    init(
        transfer: SnapshotTransfer.Job, shared: TransportContext, threads: NIOThreadPool,
        onEvent: @escaping (Event) -> Void
    ) {
        self.transfer = transfer
        self.shared = shared
        self.threads = threads
        self.onEvent = onEvent
        let limits = shared.limits
        frames = FrameDecoder(maxFrameBytes: limits.maxFrameBytes)
        encoder = FrameEncoder(
            cluster: shared.clusterID, from: shared.node, to: transfer.node, maxFrameBytes: limits.maxFrameBytes)
        pace = SnapshotPace(bytesPerSecond: limits.snapshotBytesPerSecond)
    }

    func channelActive(context: ChannelHandlerContext) {
        waitingSince = context.eventLoop.now
        let hello = Hello(purpose: .snapshot, wanted: transfer.node, introduction: shared.introduction)
        write(HandshakeRecord(hello: hello).encode(), context: context)
        watch(context: context)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        switch phase {
        case .handshaking: buffer.withUnsafeReadableBytes { welcome($0, context: context) }
        case .offering, .streaming, .finishing: buffer.withUnsafeReadableBytes { answers($0, context: context) }
        case .ended: break
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        pump(context: context)
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case LinkEvent.stop = event else { return context.fireUserInboundEventTriggered(event) }
        finish(.stopped, context: context)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        finish(.broken(ErrorText(error).text), context: context)
    }

    func channelInactive(context: ChannelHandlerContext) {
        finish(.broken("the peer closed the connection"), context: context)
        timer?.cancel()
        paceTimer?.cancel()
        onEvent(.ended(end ?? .broken("the peer closed the connection")))
    }

    /// Closes the connection. Only the first reason counts.
    private func finish(_ reason: End, context: ChannelHandlerContext) {
        guard phase != .ended else { return }
        phase = .ended
        end = reason
        context.close(promise: nil)
    }

    // MARK: Handshake and offer

    private func welcome(_ bytes: UnsafeRawBufferPointer, context: ChannelHandlerContext) {
        do throws(HandshakeError) {
            guard let result = try handshake.decode(bytes), !shared.faults.cuts(transfer.node, .both) else { return }
            if let refusal = result.record.refusal {
                return refused(shared.rules.judge(refusal: refusal, from: transfer.node), context: context)
            }
            switch shared.rules.judge(welcome: result.record, from: transfer.node, for: .snapshot) {
            case .agreed(let introduction, _):
                offer(introduction, context: context)
                result.rest.withUnsafeBytes { answers($0, context: context) }
            case .refused(let refusal, _):
                write(refusal.kind.frame, HandshakeRecord.body(ofRefusal: Bytes(refusal.sentence)), context: context)
                finish(.refused(refusal.sentence), context: context)
            case .broken(let what): finish(.broken(what), context: context)
            case .join: preconditionFailure("nobody answers a hello with a join request")
            }
        } catch { finish(.broken(error.description), context: context) }
    }

    private func refused(_ refusal: Refusal, context: ChannelHandlerContext) {
        switch refusal.kind {
        case .notYet: finish(.broken(refusal.sentence), context: context)
        case .refused, .anotherDirectory: finish(.refused(refusal.sentence), context: context)
        case .removed:
            finish(.refused(refusal.sentence), context: context)
            if let peer = refusal.answerer { shared.delegate.peerSaysRemoved(by: peer, sentence: refusal.sentence) }
        }
    }

    private func offer(_ introduction: Introduction, context: ChannelHandlerContext) {
        let frameBytes = min(shared.limits.maxFrameBytes, introduction.maxFrameBytes) - FrameHeader.byteCount
        let metadata = transfer.source.metadata
        guard metadata.count <= min(shared.limits.maxSnapshotMetadataBytes, frameBytes - SnapshotFrame.offerByteCount)
        else {
            return finish(
                .sourceFailed("metadata of \(metadata.count) bytes are more than an offer holds"), context: context)
        }
        chunkBytes = pace.pieceBytes(
            atMost: min(shared.limits.snapshotChunkBytes, frameBytes - SnapshotChunk.headerByteCount))
        phase = .offering
        waitingSince = context.eventLoop.now
        write(
            .offer(
                group: transfer.group, term: transfer.term, totalBytes: transfer.totalBytes, metadata: metadata),
            context: context)
    }

    // MARK: Answers

    private func answers(_ bytes: UnsafeRawBufferPointer, context: ChannelHandlerContext) {
        received.removeAll(keepingCapacity: true)
        do throws(FrameError) {
            try frames.decode(bytes, into: &received)
            for frame in received { try answer(frame, context: context) }
        } catch { finish(.broken(error.description), context: context) }
    }

    private func answer(_ frame: Frame, context: ChannelHandlerContext) throws(FrameError) {
        guard phase != .ended, !shared.faults.cuts(transfer.node, .incoming) else { return }
        guard frame.header.cluster == shared.clusterID else { throw .foreignCluster }
        guard frame.header.from == transfer.node, frame.header.to == shared.node else {
            throw .addresses(from: frame.header.from, to: frame.header.to)
        }
        switch (phase, try SnapshotFrame(frame)) {
        case (.offering, .accept(let offset)):
            guard offset <= transfer.totalBytes else { throw .offset(offset) }
            (acknowledged, sent, readOffset) = (offset, offset, offset)
            phase = .streaming
            onEvent(.accepted(offset))
            pump(context: context)
        case (.streaming, .ack(let offset)), (.finishing, .ack(let offset)):
            try acknowledge(offset, context: context)
        case (.offering, .done), (.finishing, .done): finish(.delivered, context: context)
        case (.offering, .refused(let sentence)), (.streaming, .refused(let sentence)),
            (.finishing, .refused(let sentence)):
            finish(.refused(sentence), context: context)
        default: throw .unexpected(frame.header.kind)
        }
    }

    private func acknowledge(_ offset: UInt64, context: ChannelHandlerContext) throws(FrameError) {
        guard offset >= acknowledged, offset <= sent else { throw .offset(offset) }
        // A sign of life only, and that a slow disk is at work does not make it faster: before the end only bytes count.
        guard offset > acknowledged || phase == .finishing else { return }
        acknowledged = offset
        waitingSince = context.eventLoop.now
        onEvent(.progress(offset))
        pump(context: context)
    }

    // MARK: Chunks

    /// Reads the next chunk, if window, pace and socket let it go; ends the stream after the last.
    private func pump(context: ChannelHandlerContext) {
        guard phase == .streaming, !isReading, paceTimer == nil else { return }
        guard acknowledged < transfer.totalBytes else { return endStream(context: context) }
        let window = UInt64(shared.limits.snapshotWindowBytes)
        guard readOffset < transfer.totalBytes, readOffset - acknowledged < window, context.channel.isWritable else {
            return
        }
        let now = context.eventLoop.now
        let next = pace.nextPiece(now: now)
        guard next <= now else {
            paceTimer = context.eventLoop.assumeIsolated().scheduleTask(deadline: next) { [self] in
                paceTimer = nil
                pump(context: context)
            }
            return
        }
        let count = Int(min(UInt64(chunkBytes), transfer.totalBytes - readOffset))
        pace.spend(count, now: now)
        read(readOffset, count, context: context)
    }

    private func read(_ offset: UInt64, _ count: Int, context: ChannelHandlerContext) {
        isReading = true
        let source = transfer.source
        threads.runIfActive(eventLoop: context.eventLoop) {
            do throws(SnapshotSourceError) {
                let bytes = try source.read(offset: offset, count: count)
                guard bytes.count == count else {
                    throw SnapshotSourceError("the source gave \(bytes.count) bytes instead of \(count)")
                }
                return Result<SnapshotChunk, SnapshotSourceError>.success(SnapshotChunk(offset: offset, bytes: bytes))
            } catch { return .failure(error) }
        }
        .assumeIsolated()
        .whenComplete { [self] result in
            isReading = false
            switch result {
            case .success(.success(let chunk)):
                readOffset = chunk.end
                send(chunk, context: context)
                pump(context: context)
            case .success(.failure(let error)): finish(.sourceFailed(error.description), context: context)
            case .failure: finish(.stopped, context: context)
            }
        }
    }

    private func send(_ chunk: SnapshotChunk, context: ChannelHandlerContext) {
        guard shared.faults.isActive || lastDue > context.eventLoop.now else { return write(chunk, context: context) }
        let fate = shared.faults.rollChunk(transfer.node, .outgoing)
        guard fate.copies > 0 else {
            shared.faults.countDropped(1, peer: transfer.node)
            return finish(.broken("fault injection dropped a chunk"), context: context)
        }
        // Chunks keep their order: one that is delayed holds those behind it.
        lastDue = max(lastDue, context.eventLoop.now + TimeAmount(fate.delay))
        context.eventLoop.assumeIsolated().scheduleTask(deadline: lastDue) { [self] in
            for _ in 0..<fate.copies { write(chunk, context: context) }
        }
    }

    /// The bytes are copied once, into NIO's buffer.
    private func write(_ chunk: SnapshotChunk, context: ChannelHandlerContext) {
        guard phase == .streaming else { return }
        if sent == acknowledged { waitingSince = context.eventLoop.now }
        sent = max(sent, chunk.end)
        var writer = ByteWriter(reservingCapacity: FrameHeader.byteCount + SnapshotChunk.headerByteCount)
        encoder.encodeHeader(
            .snapshotChunk, payloadByteCount: SnapshotChunk.headerByteCount + chunk.bytes.count, into: &writer)
        chunk.encodeHeader(into: &writer)
        context.write(wrapOutboundOut(context.channel.allocator.buffer(writer.take())), promise: nil)
        write(chunk.bytes, context: context)
    }

    private func endStream(context: ChannelHandlerContext) {
        phase = .finishing
        (waitingSince, finishingSince) = (context.eventLoop.now, context.eventLoop.now)
        write(.end(totalBytes: transfer.totalBytes), context: context)
    }

    // MARK: Liveness

    /// Closes a connection on which the receiver owes something for too long.
    private func watch(context: ChannelHandlerContext) {
        let now = context.eventLoop.now
        let limits = shared.limits
        let waited = now - waitingSince
        if shared.faults.cuts(transfer.node, .both) {
            return finish(.broken("cut by fault injection"), context: context)
        }
        switch phase {
        case .handshaking where waited >= .init(limits.handshakeTimeout):
            return finish(.broken("no answer to the handshake"), context: context)
        case .offering where waited >= .init(limits.snapshotStallTimeout),
            .streaming where sent > acknowledged && waited >= .init(limits.snapshotStallTimeout),
            .finishing where waited >= .init(limits.snapshotStallTimeout):
            return finish(.broken("the receiver makes no progress"), context: context)
        case .finishing where now - finishingSince >= .init(limits.snapshotFinishTimeout):
            return finish(.refused("the receiver does not finish"), context: context)
        case .ended: return
        case .handshaking, .offering, .streaming, .finishing: break
        }
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: .init(limits.watchInterval)) { [self] in
            watch(context: context)
        }
    }

    // MARK: Helpers

    private func write(_ frame: SnapshotFrame, context: ChannelHandlerContext) {
        write(frame.kind, frame.encode(), context: context)
    }

    private func write(_ kind: FrameKind, _ payload: Bytes, context: ChannelHandlerContext) {
        var writer = ByteWriter(reservingCapacity: FrameHeader.byteCount + payload.count)
        encoder.encode(kind, payload: payload, into: &writer)
        write(writer.take(), context: context)
    }

    private func write(_ bytes: Bytes, context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(context.channel.allocator.buffer(bytes)), promise: nil)
    }
}
