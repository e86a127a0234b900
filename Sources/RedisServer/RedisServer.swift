package import Logging
package import NIOCore
import NIOPosix
import Synchronization

/// The plain door: RESP2, RESP3 and inline commands on a TCP port, over a `CommandBackend`.
package final class RedisServer: Sendable {
    package let metrics = RedisServerMetrics()
    private let context: ServerContext
    private let group: any EventLoopGroup
    private let loops: [ObjectIdentifier: NIOLoopBound<LoopContext>]
    /// Set while listening.
    private let listener = Mutex<(any Channel)?>(nil)

    /// - Parameter group: whose event loops carry the connections; one arena and one hand-off a turn for each loop.
    package init(
        backend: any CommandBackend, limits: RedisServerLimits, group: any EventLoopGroup, logger: Logger
    ) async throws {
        context = ServerContext(backend: backend, limits: limits, metrics: metrics, logger: logger)
        self.group = group
        let waitingWrites = WaitingWrites(limit: limits.maxWaitingWriteBytes)
        var loops: [ObjectIdentifier: NIOLoopBound<LoopContext>] = [:]
        for eventLoop in group.makeIterator() {
            loops[ObjectIdentifier(eventLoop)] = try await eventLoop.submit {
                NIOLoopBound(
                    LoopContext(
                        eventLoop: eventLoop, backend: backend, maxBatchBytes: limits.maxBatchBytes,
                        waitingWrites: waitingWrites),
                    eventLoop: eventLoop)
            }.get()
        }
        self.loops = loops
    }

    /// Binds and listens; answers the port (of use when 0 was asked for).
    ///
    /// - Throws: what `bind` throws, e.g. `IOError` EADDRINUSE.
    package func listen(host: String, port: Int) async throws -> Int {
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.socketOption(.so_keepalive), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.maxMessagesPerRead, value: 4)
            .childChannelOption(
                .writeBufferWaterMark,
                value: ChannelOptions.Types.WriteBufferWaterMark(
                    low: min(64 << 10, context.limits.maxOutputBufferBytes / 4),
                    high: context.limits.maxWaitingReplyBytes)
            )
            .childChannelOption(
                .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 2048, initial: 16384, maximum: 262_144)
            )
            .childChannelInitializer { [self] channel in accept(channel) }
            .bind(host: host, port: port)
            .get()
        listener.withLock { $0 = channel }
        return channel.localAddress?.port ?? port
    }

    /// Stops listening; connections stay.
    package func stopListening() async {
        let channel = listener.withLock { listener in
            defer { listener = nil }
            return listener
        }
        try? await channel?.close().get()
    }

    private func accept(_ channel: any Channel) -> EventLoopFuture<Void> {
        metrics.connectionsReceived.add(1)
        guard metrics.connectedClients.current < context.limits.maxClients else {
            metrics.connectionsRefused.add(1)
            let text = "-ERR max number of clients (max-clients \(context.limits.maxClients)) reached\r\n"
            // The channel can be written to only after this initializer.
            channel.eventLoop.execute {
                channel.writeAndFlush(ByteBuffer(string: text)).whenComplete { _ in channel.close(promise: nil) }
            }
            return channel.eventLoop.makeSucceededVoidFuture()
        }
        metrics.connectedClients.add(1)
        return channel.eventLoop.makeCompletedFuture {
            guard let loop = loops[ObjectIdentifier(channel.eventLoop)] else {
                preconditionFailure("a connection on an event loop of another group")
            }
            let handler = ConnectionHandler(server: context, loop: loop.value, id: context.newConnectionID())
            try channel.pipeline.syncOperations.addHandler(handler)
        }
    }
}
