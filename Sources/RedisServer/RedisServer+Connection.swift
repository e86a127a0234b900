package import Logging
package import NIOCore

extension RedisServer {
    /// The handler of one connection, on an event loop of its own: for a channel that no listener has accepted.
    package static func makeHandler(
        backend: any CommandBackend, limits: RedisServerLimits, eventLoop: any EventLoop, logger: Logger
    ) -> any ChannelHandler {
        let context = ServerContext(backend: backend, limits: limits, metrics: RedisServerMetrics(), logger: logger)
        let loop = LoopContext(
            eventLoop: eventLoop, backend: backend, maxBatchBytes: limits.maxBatchBytes,
            waitingWrites: WaitingWrites(limit: limits.maxWaitingWriteBytes))
        return ConnectionHandler(server: context, loop: loop, id: context.newConnectionID())
    }
}
