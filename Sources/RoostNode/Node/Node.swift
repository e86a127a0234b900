import AdminHTTP
import KeyValue
package import Logging
import NIOCore
import NIOPosix
import PeerTransport
import Raft
import RaftStorage
import RedisServer

/// One member of a cluster in this process: doors, storage, consensus and their threads.
///
/// Start: the doors open first and answer `-LOADING`; then the data directory is opened and recovered; then the core runs
/// and peers are dialled; then clients are served. Stop: the same backwards.
package final class Node: Sendable {
    /// The one group, until there are more.
    private static let group = GroupID(1)

    private let configuration: NodeConfiguration
    private let logger: Logger
    private let notifier: ServiceNotifier
    private let failure: FailureLatch
    private let departure: FailureLatch
    private let inbox: ConsensusInbox
    private let board: StatusBoard
    private let view: NodeView
    private let doors: Doors
    private let engine: Engine
    private let isStopping = Signal()

    private init(
        configuration: NodeConfiguration, logger: Logger, notifier: ServiceNotifier, failure: FailureLatch,
        departure: FailureLatch, inbox: ConsensusInbox, board: StatusBoard, view: NodeView, doors: Doors,
        engine: Engine
    ) {
        self.configuration = configuration
        self.logger = logger
        self.notifier = notifier
        self.failure = failure
        self.departure = departure
        self.inbox = inbox
        self.board = board
        self.view = view
        self.doors = doors
        self.engine = engine
    }

    /// Returns when commands are taken.
    ///
    /// - Throws: `NodeFailure`, with everything closed again.
    package static func start(
        _ configuration: NodeConfiguration, logger: Logger, notifier: ServiceNotifier
    ) async throws -> Node {
        configuration.debug.failpoints.forEach(FailpointBoard.set)
        let (failure, departure) = (FailureLatch(), FailureLatch())
        let inbox = ConsensusInbox()
        let board = StatusBoard()
        let pool = BlockingPool(threads: 2)
        let space = SpaceBoard()
        let view = NodeView(configuration: configuration, board: board, space: space, metrics: NodeMetrics())
        let backend = NodeBackend(
            inbox: inbox, board: board, failure: failure, pool: pool, view: view, space: space)
        let doors = try await Doors.open(configuration, backend: backend, view: view, logger: logger)
        do {
            let engine = try await Engine.start(
                .init(
                    configuration: configuration, group: group, inbox: inbox, board: board, space: space, view: view,
                    pool: pool, failure: failure, departure: departure, eventLoops: doors.eventLoops,
                    addresses: doors.addresses,
                    logger: logger, notifier: notifier))
            backend.open(engine.reader)
            let node = Node(
                configuration: configuration, logger: logger, notifier: notifier, failure: failure,
                departure: departure, inbox: inbox, board: board, view: view, doors: doors, engine: engine)
            node.announce()
            return node
        } catch {
            await doors.close()
            pool.stop()
            throw error
        }
    }

    /// Returns only if the node must end by itself, or begin anew to repair itself.
    package func waitUntilFailed() async -> NodeFailure {
        let found = await failure.wait()
        // Who was told to stop stops.
        return isStopping.isRaised ? found : await engine.arrangeRepair(after: found)
    }

    /// Returns only if the node was removed from its cluster and has that on disk: what the process says last, after
    /// an orderly stop.
    package func waitUntilRemoved() async -> NodeFailure { await departure.wait() }

    /// Orderly: hands leadership over, takes no more commands, lets those under way finish for at most
    /// `shutdown-timeout`, closes the database.
    ///
    /// A failure on the way ends in `waitUntilFailed`.
    package func stop() async {
        isStopping.raise()
        await handOver()
        await doors.stopListening()
        inbox.push(.stopTaking)
        await drain()
        do throws(NodeFailure) {
            try await engine.stopThreads()
            // From here on there is nobody who could read a closed database.
            await doors.close()
            try await engine.closeStore()
        } catch {
            failure.fail(error)
            // Whoever waits for the failure ends the process; an orderly end must not be faster.
            try? await Task.sleep(for: .seconds(60))
        }
        logger.notice("node stopped", metadata: ["node.id": "\(configuration.node.id)"])
    }

    /// While leadership is on its way, clients go on: what they send waits for the next leader.
    private func handOver() async {
        guard board.picture?.core.role == .leader else { return }
        let done = Signal()
        inbox.push(.wished(MembershipWish(wish: .transfer(to: nil)) { _ in done.raise() }))
        // The core gives a transfer up after one election timeout.
        let deadline = SystemClock.monotonic().advanced(by: configuration.raft.electionTimeout * 2)
        while !done.isRaised, SystemClock.monotonic() < deadline, !failure.isSet {
            try? await Task.sleep(for: .milliseconds(5))
        }
    }

    private func drain() async {
        let deadline = SystemClock.monotonic().advanced(by: configuration.limits.shutdownTimeout)
        while SystemClock.monotonic() < deadline, !failure.isSet {
            guard let picture = board.picture, picture.waitingSegments > 0 || picture.hasOpenReads else { break }
            try? await Task.sleep(for: .milliseconds(10))
        }
        // The last replies leave the sockets' buffers.
        try? await Task.sleep(for: .milliseconds(20))
    }

    private func announce() {
        let addresses = doors.addresses
        notifier.watchProgress { [engine, failure] in !failure.isSet && engine.isProgressing }
        notifier.status("serving on \(addresses.redis)")
        logger.notice(
            "node is ready",
            metadata: [
                "listen.redis": "\(addresses.redis)",
                "listen.peer": "\(addresses.peer)", "listen.http": "\(addresses.http)",
            ])
    }
}
