import AdminHTTP
import Logging
import NIOCore
import NIOPosix
import RESP
import RedisServer

/// What listens for clients and operators, and the event loops that carry it.
final class Doors: Sendable {
    let eventLoops: MultiThreadedEventLoopGroup
    let addresses: NodeView.Addresses
    private let redis: RedisServer
    private let http: AdminServer

    private init(
        eventLoops: MultiThreadedEventLoopGroup, addresses: NodeView.Addresses, redis: RedisServer, http: AdminServer
    ) {
        self.eventLoops = eventLoops
        self.addresses = addresses
        self.redis = redis
        self.http = http
    }

    /// Binds both ports; commands on data are answered `-LOADING` until the backend is ready.
    static func open(
        _ configuration: NodeConfiguration, backend: NodeBackend, view: NodeView, logger: Logger
    ) async throws -> Doors {
        let eventLoops = MultiThreadedEventLoopGroup(numberOfThreads: eventLoopCount(configuration))
        do {
            return try await open(configuration, backend: backend, view: view, eventLoops: eventLoops, logger: logger)
        } catch {
            try? await eventLoops.shutdownGracefully()
            throw error
        }
    }

    func stopListening() async { await redis.stopListening() }

    func close() async {
        await redis.stopListening()
        await http.stop()
        try? await eventLoops.shutdownGracefully()
    }

    private static func open(
        _ configuration: NodeConfiguration, backend: NodeBackend, view: NodeView,
        eventLoops: MultiThreadedEventLoopGroup, logger: Logger
    ) async throws -> Doors {
        let redis = try await RedisServer(
            backend: backend, limits: redisLimits(configuration.limits), group: eventLoops, logger: logger)
        view.set(redis.metrics)
        let listen = configuration.listen
        let redisPort: Int
        do {
            redisPort = try await redis.listen(host: listen.redis.host, port: listen.redis.port)
        } catch let error as IOError {
            throw NodeFailure.cannotListen("listen.redis", listen.redis, errno: error.errnoCode, error.description)
        } catch {
            throw NodeFailure.cannotListen("listen.redis", listen.redis, errno: 0, "\(error)")
        }
        let http: AdminServer
        do throws(AdminBindError) {
            http = try await AdminServer.start(
                host: listen.http.host, port: listen.http.port, routes: AdminRoutes.routes(view), group: eventLoops,
                logger: logger)
        } catch {
            await redis.stopListening()
            throw NodeFailure.cannotListen(listen.http, error)
        }
        let addresses = NodeView.Addresses(
            redis: configuration.advertise.redis ?? HostPort(host: listen.redis.host, port: redisPort),
            peer: configuration.advertise.peer ?? listen.peer,
            http: configuration.advertise.http ?? HostPort(host: listen.http.host, port: http.port))
        view.set(addresses)
        logger.info(
            "listening", metadata: ["listen.redis": "\(addresses.redis)", "listen.http": "\(addresses.http)"])
        return Doors(eventLoops: eventLoops, addresses: addresses, redis: redis, http: http)
    }

    private static func eventLoopCount(_ configuration: NodeConfiguration) -> Int {
        configuration.limits.eventLoops > 0 ? configuration.limits.eventLoops : max(1, System.coreCount / 2)
    }

    private static func redisLimits(_ limits: NodeConfiguration.Limits) -> RedisServerLimits {
        RedisServerLimits(
            request: RequestLimits(
                maxArguments: limits.maxArguments, maxBulkBytes: limits.maxValueBytes,
                maxRequestBytes: limits.maxRequestBytes),
            maxKeyBytes: limits.maxKeyBytes, maxClients: limits.maxClients,
            maxPipelinedCommands: limits.maxPipelinedCommands,
            maxPipelinedBytes: limits.maxPipelinedBytes, maxWaitingWriteBytes: limits.maxWaitingWriteBytes,
            maxOutputBufferBytes: limits.maxOutputBufferBytes,
            maxBatchBytes: limits.maxBatchBytes, parkTimeout: limits.parkTimeout, requestTimeout: limits.requestTimeout)
    }
}
