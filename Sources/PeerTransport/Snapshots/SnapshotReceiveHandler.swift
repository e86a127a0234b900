import ByteCoding
import DequeModule
import Logging
import NIOCore
import Raft

/// The accepting side of a snapshot's connection, behind `InboundHandler`: asks the delegate, then hands chunk after chunk to
/// the sink.
///
/// While the delegate thinks or the sink is busy nothing is read from the socket, so that a slow disk holds back the sender.
///
/// Fault injection acts on chunks in `take` and on what is said to the sender in `write`: what is dropped or cut ends the
/// connection, and the sender comes again.
final class SnapshotReceiveHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum Phase {
        /// Waits for the offer. Can become `asking` or `ended`.
        case waiting
        /// The delegate decides. Can become `receiving` or `ended`.
        case asking(SnapshotOffer)
        /// Chunks come. Can become `finishing` or `ended`.
        case receiving(Reception)
        /// The sink has all and checks it. Can become `ended`.
        case finishing(Reception)
        /// Closed, or about to be.
        case ended
    }

    private struct Reception {
        var sink: any SnapshotSink
        var totalBytes: UInt64
        /// The sink has taken everything before it.
        var written: UInt64
        /// The next chunk must begin here.
        var expected: UInt64
    }

    private let peer: NodeID
    private let shared: TransportContext
    private var phase = Phase.waiting
    private var frames: FrameDecoder
    private var encoder: FrameEncoder
    private var received: [Frame] = []
    /// Chunks that came while the sink was busy: no more than one read of the socket holds.
    private var queue: Deque<SnapshotChunk> = []
    /// Counts the questions to the delegate and the sink; only the answer to the last one counts.
    private var question: UInt64 = 0
    private var isWaitingForAnswer = false
    private var isReadHeldBack = false
    private var hasEnded = false
    private var timer: Scheduled<Void>?
    private var lastHeard = NIODeadline.uptimeNanoseconds(0)

    init(peer: NodeID, shared: TransportContext) {
        self.peer = peer
        self.shared = shared
        frames = FrameDecoder(maxFrameBytes: shared.limits.maxFrameBytes)
        encoder = FrameEncoder(
            cluster: shared.clusterID, from: shared.node, to: peer, maxFrameBytes: shared.limits.maxFrameBytes)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        lastHeard = context.eventLoop.now
        watch(context: context)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        lastHeard = context.eventLoop.now
        let buffer = unwrapInboundIn(data)
        received.removeAll(keepingCapacity: true)
        do throws(FrameError) {
            try buffer.withUnsafeReadableBytes { (bytes) throws(FrameError) in
                try frames.decode(bytes, into: &received)
            }
            for frame in received { try take(frame, context: context) }
        } catch { broken(error.description, context: context) }
    }

    /// Reading goes on only when everything that was read is dealt with.
    func read(context: ChannelHandlerContext) {
        if isWaitingForAnswer { isReadHeldBack = true } else { context.read() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case LinkEvent.stop = event else { return context.fireUserInboundEventTriggered(event) }
        finish("this node closed the connection", context: context)
        // Also if the last word has been said, and only the sender's end of the connection is awaited.
        context.close(promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        finish(ErrorText(error).text, context: context)
    }

    func channelInactive(context: ChannelHandlerContext) {
        finish("the peer closed the connection", context: context)
        timer?.cancel()
        shared.incomingSnapshots.release(peer, on: context.channel)
        context.fireChannelInactive()
    }

    /// Closes the connection; the sink is told unless it has finished. Only the first reason counts.
    private func finish(_ reason: String, context: ChannelHandlerContext) {
        let interrupted = sinkOfPhase
        if case .ended = phase { return }
        phase = .ended
        queue.removeAll()
        interrupted?.interrupted(reason)
        context.close(promise: nil)
    }

    private var sinkOfPhase: (any SnapshotSink)? {
        switch phase {
        case .receiving(let reception), .finishing(let reception): reception.sink
        case .waiting, .asking, .ended: nil
        }
    }

    private func broken(_ what: String, context: ChannelHandlerContext) {
        if case .ended = phase { return }
        shared.logger.warning("snapshot stream broken", metadata: metadata(["reason": "\(what)"]))
        finish(what, context: context)
    }

    // MARK: Frames

    private func take(_ frame: Frame, context: ChannelHandlerContext) throws(FrameError) {
        if case .ended = phase { return }
        guard frame.header.cluster == shared.clusterID else { throw .foreignCluster }
        guard frame.header.from == peer, frame.header.to == shared.node else {
            throw .addresses(from: frame.header.from, to: frame.header.to)
        }
        // The dialling side may not want who has answered.
        if [.refusal, .removed].contains(frame.header.kind) {
            return finish(HandshakeRecord.line(frame.payload), context: context)
        }
        switch (phase, try SnapshotFrame(frame)) {
        case (.waiting, .offer(let group, let term, let totalBytes, let metadata)):
            let offer = SnapshotOffer(
                group: group, from: peer, term: term, metadata: metadata, totalBytes: totalBytes)
            offered(offer, context: context)
        case (.receiving, .chunk(let chunk)): try take(chunk, context: context)
        case (.receiving(let reception), .end(let totalBytes)):
            guard totalBytes == reception.totalBytes, reception.expected == totalBytes, !hasEnded else {
                throw .offset(totalBytes)
            }
            hasEnded = true
            proceed(context: context)
        default: throw .unexpected(frame.header.kind)
        }
    }

    private func take(_ chunk: SnapshotChunk, context: ChannelHandlerContext) throws(FrameError) {
        guard case .receiving(var reception) = phase, !hasEnded else { throw .unexpected(.snapshotChunk) }
        if shared.faults.isActive {
            // Delays are the sender's: here they would only hold more in memory.
            guard shared.faults.rollChunk(peer, .incoming).copies > 0 else {
                shared.faults.countDropped(1, peer: peer)
                return finish("fault injection dropped a chunk", context: context)
            }
        }
        guard chunk.isIntact else { throw .corruptChunk(offset: chunk.offset) }
        guard chunk.end <= reception.totalBytes else { throw .offset(chunk.end) }
        // It came twice.
        if chunk.end <= reception.expected { return }
        guard chunk.offset == reception.expected else {
            throw .chunkOutOfOrder(offset: chunk.offset, expected: reception.expected)
        }
        reception.expected = chunk.end
        phase = .receiving(reception)
        queue.append(chunk)
        proceed(context: context)
    }

    // MARK: Delegate and sink

    /// Asks the delegate, once an older stream of the same peer has ended.
    private func offered(_ offer: SnapshotOffer, context: ChannelHandlerContext) {
        phase = .asking(offer)
        let answer = ask(context) { (handler, answer: SnapshotAnswer, context) in
            handler.answered(answer, to: offer, context: context)
        }
        let older = shared.incomingSnapshots.establish(peer, on: context.channel)
        guard let older else { return shared.delegate.snapshotOffered(offer, answer: answer) }
        older.pipeline.fireUserInboundEventTriggered(LinkEvent.stop)
        let delegate = shared.delegate
        older.closeFuture.whenComplete { _ in delegate.snapshotOffered(offer, answer: answer) }
    }

    private func answered(_ answer: SnapshotAnswer, to offer: SnapshotOffer, context: ChannelHandlerContext) {
        guard case .asking = phase else {
            // Legal race: the connection ended while the delegate was thinking.
            if case .accept(let sink, _) = answer { sink.interrupted("the peer closed the connection") }
            return
        }
        switch answer {
        case .accept(let sink, let offset):
            precondition(offset <= offer.totalBytes, "resume at \(offset) of \(offer.totalBytes) bytes")
            phase = .receiving(
                Reception(sink: sink, totalBytes: offer.totalBytes, written: offset, expected: offset))
            shared.logger.notice(
                "receiving a snapshot",
                metadata: metadata(["snapshot.bytes": "\(offer.totalBytes)", "snapshot.offset": "\(offset)"]))
            report(context)
            write(.accept(offset: offset), context: context)
        case .alreadyHeld: end(.done, "this node holds the snapshot already", context: context)
        case .refuse(let sentence): end(.refused(sentence), sentence, context: context)
        }
    }

    /// Gives the sink what it must do next, unless it is busy.
    private func proceed(context: ChannelHandlerContext) {
        guard case .receiving(let reception) = phase, !isWaitingForAnswer else { return }
        if let chunk = queue.popFirst() {
            let done = ask(context) { (handler, result: SnapshotSinkResult, context) in
                handler.appended(chunk, result, context: context)
            }
            reception.sink.append(chunk.bytes, at: chunk.offset, done: done)
        } else if hasEnded {
            phase = .finishing(reception)
            let done = ask(context) { (handler, result: SnapshotSinkResult, context) in
                handler.finished(result, context: context)
            }
            reception.sink.finish(done: done)
        }
    }

    private func appended(_ chunk: SnapshotChunk, _ result: SnapshotSinkResult, context: ChannelHandlerContext) {
        guard case .receiving(var reception) = phase else { return }
        if case .failed(let sentence) = result { return end(.refused(sentence), sentence, context: context) }
        reception.written = chunk.end
        phase = .receiving(reception)
        report(context)
        write(.ack(offset: reception.written), context: context)
        proceed(context: context)
    }

    private func finished(_ result: SnapshotSinkResult, context: ChannelHandlerContext) {
        guard case .finishing = phase else { return }
        switch result {
        case .done: end(.done, "a snapshot has arrived", context: context)
        case .failed(let sentence): end(.refused(sentence), sentence, context: context)
        }
    }

    /// The last word to the sender; the sink hears nothing more.
    ///
    /// Only the sending half is closed, and what still comes is thrown away: closing all with chunks unread would reset the
    /// connection, and the sender would not hear the word.
    private func end(_ frame: SnapshotFrame, _ reason: String, context: ChannelHandlerContext) {
        shared.logger.notice("snapshot stream ended", metadata: metadata(["reason": "\(reason)"]))
        phase = .ended
        timer?.cancel()
        write(frame, context: context)
        context.close(mode: .output, promise: nil)
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: .init(shared.limits.drainTimeout)) {
            context.close(promise: nil)
        }
    }

    /// A closure that brings an answer from any thread back to the event loop, and stops reading until it comes.
    private func ask<Answer: Sendable>(
        _ context: ChannelHandlerContext,
        _ take: @escaping @Sendable (SnapshotReceiveHandler, Answer, ChannelHandlerContext) -> Void
    ) -> @Sendable (Answer) -> Void {
        question += 1
        isWaitingForAnswer = true
        let (loop, number) = (context.eventLoop, question)
        let bound = NIOLoopBound((handler: self, context: context), eventLoop: loop)
        return { answer in
            loop.execute {
                let (handler, context) = bound.value
                guard handler.question == number, handler.isWaitingForAnswer else { return }
                handler.isWaitingForAnswer = false
                take(handler, answer, context)
                handler.goOnReading(context: context)
            }
        }
    }

    private func goOnReading(context: ChannelHandlerContext) {
        guard isReadHeldBack, !isWaitingForAnswer else { return }
        isReadHeldBack = false
        context.read()
    }

    // MARK: Liveness

    /// While this side is busy it shows that it is alive; while it waits, the sender must show it.
    private func watch(context: ChannelHandlerContext) {
        switch phase {
        case .receiving(let reception) where isWaitingForAnswer, .finishing(let reception):
            write(.ack(offset: reception.written), context: context)
            lastHeard = context.eventLoop.now
        case .asking: lastHeard = context.eventLoop.now
        case .waiting, .receiving:
            if context.eventLoop.now - lastHeard >= .init(shared.limits.snapshotStallTimeout) {
                finish("the sender was silent for too long", context: context)
            }
        case .ended: return
        }
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: .init(shared.limits.pingInterval)) { [self] in
            watch(context: context)
        }
    }

    // MARK: Helpers

    private func write(_ frame: SnapshotFrame, context: ChannelHandlerContext) {
        guard !shared.faults.cuts(peer, .outgoing) else {
            finish("cut by fault injection", context: context)
            return
        }
        var writer = ByteWriter()
        encoder.encode(frame.kind, payload: frame.encode(), into: &writer)
        context.writeAndFlush(wrapOutboundOut(context.channel.allocator.buffer(writer.take())), promise: nil)
    }

    private func report(_ context: ChannelHandlerContext) {
        guard case .receiving(let reception) = phase else { return }
        let progress = SnapshotProgress(transferredBytes: reception.written, totalBytes: reception.totalBytes)
        shared.incomingSnapshots.report(progress, from: peer, on: context.channel)
    }

    private func metadata(_ more: Logger.Metadata) -> Logger.Metadata {
        more.merging(["peer.id": "\(peer)", "peer.direction": "\(LinkDirection.accepted.rawValue)"]) { $1 }
    }
}
