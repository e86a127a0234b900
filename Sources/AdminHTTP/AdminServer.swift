package import Logging
package import NIOCore
import NIOHTTP1
import NIOPosix

/// The HTTP door for operators and their tools: metrics, health checks, status. Read-only, and small on purpose: GET
/// and HEAD on a fixed table of paths, HTTP/1.1 with keep-alive, no bodies, no TLS.
package final class AdminServer: Sendable {
    /// Where it listens; the port is the real one, also when 0 was asked for.
    package let host: String
    package let port: Int

    private let listener: any Channel
    private let connections: ConnectionRegistry

    /// Starts to listen; requests are answered from the moment this returns.
    /// - Parameters:
    ///   - routes: by exact path, e.g. `/metrics`. Anything else is 404.
    ///   - group: may be shared: parsing and writing are all that runs on it.
    package static func start(
        host: String, port: Int, routes: [String: AdminRoute], limits: AdminLimits = AdminLimits(),
        group: any EventLoopGroup, logger: Logger
    ) async throws(AdminBindError) -> AdminServer {
        let connections = ConnectionRegistry(limit: limits.maxConnections)
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 64)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                guard connections.admit(channel) else {
                    logger.debug(
                        "admin connection refused: too many are open",
                        metadata: ["limit": "\(limits.maxConnections)"])
                    return refuse(channel)
                }
                return channel.eventLoop.makeCompletedFuture {
                    try configure(channel, routes: routes, limits: limits, logger: logger)
                }
            }
        do {
            let listener = try await bootstrap.bind(host: host, port: port).get()
            return AdminServer(host: host, listener: listener, connections: connections)
        } catch {
            throw AdminBindError(error)
        }
    }

    private init(host: String, listener: any Channel, connections: ConnectionRegistry) {
        self.host = host
        port = listener.localAddress?.port ?? 0
        self.listener = listener
        self.connections = connections
    }

    /// Stops to listen and closes all connections; answers under way are cut.
    package func stop() async {
        try? await listener.close().get()
        await connections.closeAll()
    }

    private static func configure(
        _ channel: any Channel, routes: [String: AdminRoute], limits: AdminLimits, logger: Logger
    ) throws {
        var decoderLimits = NIOHTTPDecoderLimitConfiguration()
        decoderLimits.maxHeaderFieldSize = limits.maxHeaderBytes
        decoderLimits.maxHeaderListSize = limits.maxHeaderBytes
        let pipeline = channel.pipeline.syncOperations
        try pipeline.configureHTTPServerPipeline(
            position: .last, withEncoderConfiguration: .init(), withDecoderLimitConfiguration: decoderLimits)
        try pipeline.addHandler(AdminConnectionHandler(routes: routes, limits: limits, logger: logger))
    }

    /// No parser is set up for a connection too many: the same few bytes answer whatever it would have asked.
    private static func refuse(_ channel: any Channel) -> EventLoopFuture<Void> {
        let answer = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        channel.eventLoop.execute {
            channel.writeAndFlush(ByteBuffer(string: answer)).whenComplete { _ in channel.close(promise: nil) }
        }
        return channel.eventLoop.makeSucceededVoidFuture()
    }
}
