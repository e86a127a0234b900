import Logging
import NIOCore
import Raft

/// The accepting side of a connection that asks to join, behind `InboundHandler`: one question to the delegate, one answer.
final class JoinHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let request: JoinRequest
    private let shared: TransportContext
    private var isAnswered = false
    private var timer: Scheduled<Void>?

    init(request: JoinRequest, shared: TransportContext) {
        self.request = request
        self.shared = shared
    }

    func handlerAdded(context: ChannelHandlerContext) {
        shared.logger.notice(
            "a node asks to join",
            metadata: [
                "join.peer": "\(request.advertisedPeer)",
                "join.wanted": "\(request.wantedNode.map(\.description) ?? "any id")",
            ])
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: .init(shared.limits.joinTimeout)) { [self] in
            answer(.refused("no decision in \(shared.limits.joinTimeout)", mayTryAgain: true), context: context)
        }
        let loop = context.eventLoop
        let bound = NIOLoopBound((handler: self, context: context), eventLoop: loop)
        shared.delegate.joinRequested(request) { answer in
            loop.execute {
                let (handler, context) = bound.value
                handler.answer(answer, context: context)
            }
        }
    }

    /// Nothing more may come.
    func channelRead(context: ChannelHandlerContext, data: NIOAny) { close(context: context) }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case LinkEvent.stop = event else { return context.fireUserInboundEventTriggered(event) }
        answer(.refused("this node stops", mayTryAgain: true), context: context)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { close(context: context) }

    func channelInactive(context: ChannelHandlerContext) {
        isAnswered = true
        timer?.cancel()
        context.fireChannelInactive()
    }

    /// Only the first answer counts.
    private func answer(_ answer: JoinAnswer, context: ChannelHandlerContext) {
        guard !isAnswered else { return }
        isAnswered = true
        timer?.cancel()
        shared.logger.notice("answered a node that asked to join", metadata: ["join.answer": "\(answer.summary)"])
        let bytes = HandshakeRecord(answer).encode()
        context.writeAndFlush(wrapOutboundOut(context.channel.allocator.buffer(bytes)))
            .assumeIsolated()
            .whenComplete { _ in context.close(promise: nil) }
    }

    private func close(context: ChannelHandlerContext) {
        isAnswered = true
        context.close(promise: nil)
    }
}

extension JoinAnswer {
    /// For a log.
    fileprivate var summary: String {
        switch self {
        case .accepted(let acceptance): "accepted as node \(acceptance.node)"
        case .redirect(let address): "redirected to \(address)"
        case .refused(let sentence, _): "refused: \(sentence)"
        }
    }
}
