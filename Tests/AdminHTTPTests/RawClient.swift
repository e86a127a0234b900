import NIOCore
import NIOPosix

/// A TCP client that sends what it is told and collects what it gets. Waiting does not block a thread.
final class RawClient: Sendable {
    private let channel: any Channel
    private let collected: NIOLoopBound<Collector>

    static func connect(port: Int, autoRead: Bool = true) async throws -> RawClient {
        let bootstrap = ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .channelOption(.autoRead, value: autoRead)
            .channelOption(.allowRemoteHalfClosure, value: true)
        return try await bootstrap.connect(host: "127.0.0.1", port: port) { channel in
            channel.eventLoop.makeCompletedFuture {
                let collector = Collector(channel.eventLoop)
                try channel.pipeline.syncOperations.addHandler(collector)
                return RawClient(channel, NIOLoopBound(collector, eventLoop: channel.eventLoop))
            }
        }
    }

    private init(_ channel: any Channel, _ collected: NIOLoopBound<Collector>) {
        self.channel = channel
        self.collected = collected
    }

    func send(_ text: String) async throws {
        try await channel.writeAndFlush(ByteBuffer(string: text)).get()
    }

    /// Half-closes: the server sees the end of what this client sends.
    func finish() async throws {
        try await channel.close(mode: .output).get()
    }

    func close() async {
        try? await channel.close().get()
    }

    /// Everything received once the server has closed its side.
    func untilClosed() async throws -> String {
        try await channel.eventLoop.flatSubmit { self.collected.value.closed.futureResult }.get()
    }

    /// Everything received after the first `skipped` characters, once it ends with `suffix`.
    func until(_ suffix: String, after skipped: Int = 0) async throws -> String {
        try await channel.eventLoop.flatSubmit { self.collected.value.wait(until: suffix, after: skipped) }.get()
    }

    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        let closed: EventLoopPromise<String>
        private var text = ""
        private var isClosed = false
        private var waiting: (suffix: String, skipped: Int, promise: EventLoopPromise<String>)?

        init(_ loop: any EventLoop) {
            closed = loop.makePromise()
        }

        func wait(until suffix: String, after skipped: Int) -> EventLoopFuture<String> {
            let promise = closed.futureResult.eventLoop.makePromise(of: String.self)
            waiting = (suffix, skipped, promise)
            check()
            if isClosed { waiting?.promise.fail(ChannelError.eof) }
            return promise.futureResult
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            text += String(buffer: unwrapInboundIn(data))
            check()
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if case .inputClosed? = event as? ChannelEvent { end(context) }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { end(context) }

        func channelInactive(context: ChannelHandlerContext) { end(context) }

        private func end(_ context: ChannelHandlerContext) {
            guard !isClosed else { return }
            isClosed = true
            closed.succeed(text)
            waiting?.promise.fail(ChannelError.eof)
            context.close(promise: nil)
        }

        private func check() {
            guard let (suffix, skipped, promise) = waiting, text.dropFirst(skipped).hasSuffix(suffix) else { return }
            waiting = nil
            promise.succeed(String(text.dropFirst(skipped)))
        }
    }
}
