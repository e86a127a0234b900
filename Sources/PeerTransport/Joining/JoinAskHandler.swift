import ByteCoding
import NIOCore

/// The dialling side of a connection that asks to join: says the request, takes one record, closes.
final class JoinAskHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let request: JoinRequest
    private let limits: PeerTransportLimits
    /// Completed once, whatever happens to the connection.
    private var answer: EventLoopPromise<JoinAnswer>?
    private var handshake = HandshakeDecoder(maxBodyByteCount: HandshakeRecord.maxJoinedBodyByteCount)
    private var timer: Scheduled<Void>?

    init(request: JoinRequest, limits: PeerTransportLimits, answer: EventLoopPromise<JoinAnswer>) {
        self.request = request
        self.limits = limits
        self.answer = answer
    }

    func channelActive(context: ChannelHandlerContext) {
        let hello = HandshakeRecord(join: request).encode()
        context.writeAndFlush(wrapOutboundOut(context.channel.allocator.buffer(hello)), promise: nil)
        // The member has its own timeout for the decision; it gets to tell about it.
        timer = context.eventLoop.assumeIsolated().scheduleTask(
            in: .init(limits.joinTimeout + limits.handshakeTimeout)
        ) { [self] in
            fail("no answer in time", context: context)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        do throws(HandshakeError) {
            let result = try buffer.withUnsafeReadableBytes { (bytes) throws(HandshakeError) in
                try handshake.decode(bytes)
            }
            guard let record = result?.record else { return }
            take(record, context: context)
        } catch { fail(error.description, context: context) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(ErrorText(error).text, context: context)
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail("the member closed the connection without an answer", context: context)
    }

    private func take(_ record: HandshakeRecord, context: ChannelHandlerContext) {
        // A refusal is the same in every version.
        if let refusal = record.refusal {
            return succeed(.refused(refusal.sentence, mayTryAgain: refusal.kind == .notYet), context: context)
        }
        guard record.version == HandshakeRecord.version else {
            return fail("it answered in version \(record.version) of the peer protocol", context: context)
        }
        do throws(MalformedBytes) {
            guard let answer = try record.joinAnswer() else {
                return fail("what it answered is no answer to a join request", context: context)
            }
            succeed(answer, context: context)
        } catch { fail(error.description, context: context) }
    }

    private func succeed(_ result: JoinAnswer, context: ChannelHandlerContext) {
        answer?.succeed(result)
        end(context: context)
    }

    private func fail(_ what: String, context: ChannelHandlerContext) {
        answer?.fail(Failure(description: what))
        end(context: context)
    }

    private func end(context: ChannelHandlerContext) {
        answer = nil
        timer?.cancel()
        context.close(promise: nil)
    }

    private struct Failure: Error, CustomStringConvertible {
        var description: String
    }
}
