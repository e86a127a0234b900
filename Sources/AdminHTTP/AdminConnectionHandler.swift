import Logging
import NIOCore
import NIOHTTP1

/// One connection of the admin door. Comes after NIO's pipelining handler, which lets the next request through only
/// when the answer to the one before is written: there is one request at a time.
///
/// A deadline always runs: for the client to bring a request, then for the route, then for the client to take the
/// answer. That bounds what idle, slow and stuck clients can hold.
final class AdminConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private enum State {
        /// Until the end of a request. Can transition to: answering.
        case receiving(HTTPRequestHead?)
        /// The route was asked. Can transition to: writing.
        case answering(HTTPRequestHead, Task<Void, Never>)
        /// The answer is on its way. Can transition to: receiving, or the connection closes.
        case writing
    }

    private let routes: [String: AdminRoute]
    private let limits: AdminLimits
    private let logger: Logger
    private var state = State.receiving(nil)
    private var deadline: Scheduled<Void>?
    /// The client sends no more: close after the answer under way.
    private var isInputClosed = false

    init(routes: [String: AdminRoute], limits: AdminLimits, logger: Logger) {
        self.routes = routes
        self.limits = limits
        self.logger = logger
    }

    func handlerAdded(context: ChannelHandlerContext) {
        setDeadline(limits.requestTimeout, context)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch (unwrapInboundIn(data), state) {
        case (.head(let head), .receiving):
            state = .receiving(head)
        case (.body, .receiving(let head?)):
            refuse(.text(status: 413, "no request here has a body"), head, context)
        case (.end, .receiving(let head?)):
            answer(head, context)
        case (.head, .answering), (.head, .writing), (.body, _), (.end, _):
            break  // The rest of a request that was refused: the connection closes after the answer.
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .inputClosed? = event as? ChannelEvent {
            isInputClosed = true
            if case .receiving = state { context.close(promise: nil) }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        deadline?.cancel()
        if case .answering(_, let task) = state { task.cancel() }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        logger.debug("admin connection failed", metadata: ["error": "\(error)"])
        context.close(promise: nil)
    }

    private func answer(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        let path = String(head.uri.prefix { $0 != "?" })
        guard head.method == .GET || head.method == .HEAD else {
            return refuse(.text(status: 405, "only GET and HEAD are allowed"), head, context)
        }
        guard let route = routes[path] else {
            let known = routes.keys.sorted().joined(separator: " ")
            return write(.text(status: 404, "not found; there is: \(known)"), to: head, context)
        }
        let handler = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        let loop = context.eventLoop
        let task = Task {
            let response = await route(path)
            loop.execute {
                let (handler, context) = handler.value
                handler.routeAnswered(response, context)
            }
        }
        state = .answering(head, task)
        setDeadline(limits.answerTimeout, context)
    }

    private func routeAnswered(_ response: AdminResponse, _ context: ChannelHandlerContext) {
        // Legal race: the deadline was faster, or the client left.
        guard case .answering(let head, _) = state, context.channel.isActive else { return }
        write(response, to: head, context)
    }

    /// For requests whose rest is not worth reading: answers and closes.
    private func refuse(_ response: AdminResponse, _ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        write(response, to: head, context, close: true)
    }

    private func write(
        _ response: AdminResponse, to request: HTTPRequestHead, _ context: ChannelHandlerContext, close: Bool = false
    ) {
        let closes = close || isInputClosed || !request.isKeepAlive || request.version != .http1_1
        let body = ByteBuffer(string: response.body)
        var head = HTTPResponseHead(version: .http1_1, status: .init(statusCode: response.status))
        head.headers.add(name: "content-type", value: response.contentType)
        head.headers.add(name: "content-length", value: "\(body.readableBytes)")
        head.headers.add(name: "cache-control", value: "no-store")
        if response.status == 405 { head.headers.add(name: "allow", value: "GET, HEAD") }
        if closes { head.headers.add(name: "connection", value: "close") }
        state = .writing
        setDeadline(limits.answerTimeout, context)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if request.method != .HEAD { context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil) }
        let handler = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        let taken = context.eventLoop.makePromise(of: Void.self)
        taken.futureResult.whenSuccess {
            let (handler, context) = handler.value
            handler.answerTaken(closes: closes, context)
        }
        context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(ByteBuffer()))), promise: taken)
    }

    /// The socket took the whole answer. Only now its end is written, which lets the next pipelined request in: a
    /// client that asks and never reads costs the memory of one answer.
    private func answerTaken(closes: Bool, _ context: ChannelHandlerContext) {
        state = .receiving(nil)
        setDeadline(limits.requestTimeout, context)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        if closes || isInputClosed { context.close(promise: nil) }
    }

    private func setDeadline(_ delay: TimeAmount, _ context: ChannelHandlerContext) {
        deadline?.cancel()
        let handler = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        deadline = context.eventLoop.scheduleTask(in: delay) {
            let (handler, context) = handler.value
            handler.deadlinePassed(context)
        }
    }

    private func deadlinePassed(_ context: ChannelHandlerContext) {
        guard case .answering(let head, let task) = state else { return context.close(promise: nil) }
        task.cancel()
        refuse(.text(status: 503, "the node did not answer in time"), head, context)
    }
}
