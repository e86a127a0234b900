import Logging
import RoostNode
import ServiceLifecycle

/// What the daemon needs of a node that has started.
protocol RunningNode: Sendable {
    /// Returns only if the node must stop by itself.
    func waitUntilFailed() async -> NodeFailure
    /// Returns only if the node was removed from its cluster: what the process says last after an orderly stop.
    func waitUntilRemoved() async -> NodeFailure
    /// Drains and closes; returns when everything is closed.
    func stop() async
}

extension Node: RunningNode {}

/// The life of the node as the service group sees it: start, serve, stop.
///
/// Start, stop and failure are tasks of their own that report here, so that none of them can keep the others from being
/// heard, not even by ignoring its cancellation.
struct NodeService: Service {
    private enum Event: Sendable {
        case started(any RunningNode)
        case startFailed(any Error)
        case stopRequested
        case stopped
        case failed(NodeFailure)
        case removed(NodeFailure)
    }

    private enum State {
        /// Recovering. Can transition to: serving, stopping (by `started` when a stop is wanted), or the end.
        case starting(isStopWanted: Bool)
        /// Can transition to: stopping, or the end by a failure.
        case serving(any RunningNode)
        /// Draining. Can transition to: the end, with a farewell if the node was removed from its cluster.
        case stopping(farewell: NodeFailure?)
    }

    let stopWatch: StopWatch
    let notifier: ServiceNotifier
    let logger: Logger
    /// Returns when recovery is done and clients are served. Gets cancelled when the node shall stop before that.
    let start: @Sendable () async throws -> any RunningNode

    /// Returns after an orderly stop; throws what kept the node from starting or going on.
    func run() async throws {
        let watchdog = Task { [notifier, logger] in
            var watchdog = Watchdog(notifier: notifier, logger: logger)
            await watchdog.run()
        }
        defer { watchdog.cancel() }
        let (events, continuation) = AsyncStream.makeStream(of: Event.self)
        try await withGracefulShutdownHandler {
            try await handle(events, continuation)
        } onGracefulShutdown: {
            continuation.yield(.stopRequested)
        }
    }

    private func handle(
        _ events: AsyncStream<Event>, _ continuation: AsyncStream<Event>.Continuation
    ) async throws {
        let starting = Task { [start] in
            do {
                continuation.yield(.started(try await start()))
            } catch {
                continuation.yield(.startFailed(error))
            }
        }
        var state = State.starting(isStopWanted: false)
        for await event in events {
            switch (event, state) {
            case (.started(let node), .starting(let isStopWanted)):
                stopWatch.nodeStarted()
                Task { continuation.yield(.failed(await node.waitUntilFailed())) }
                Task { continuation.yield(.removed(await node.waitUntilRemoved())) }
                if isStopWanted {
                    state = stop(node, continuation)
                } else {
                    notifier.ready()
                    state = .serving(node)
                }
            case (.startFailed(let error), .starting(let isStopWanted)):
                if isStopWanted && error is CancellationError { return }
                // A node that was removed has nothing to do, which is no failure; but an end before READY=1 would be one.
                if (error as? NodeFailure)?.code == .success { notifier.ready() }
                // Who was told to stop does not begin anew; what was ordered waits for the next start.
                if isStopWanted, var failure = error as? NodeFailure {
                    failure.restarts = false
                    throw failure
                }
                throw error
            case (.stopRequested, .starting):
                logger.notice("stopping before recovery is done")
                notifier.stopping(status: "stopping before recovery is done")
                starting.cancel()
                state = .starting(isStopWanted: true)
            case (.stopRequested, .serving(let node)):
                state = stop(node, continuation)
            case (.failed(let failure), .serving), (.failed(let failure), .stopping):
                throw failure
            case (.removed(let farewell), .serving(let node)):
                state = stop(node, continuation, farewell: farewell)
            case (.stopped, .stopping(let farewell)):
                if let farewell { throw farewell }
                return
            case (.stopRequested, .stopping), (.removed, .stopping):
                break  // Legal races: a signal, the end of the group, a removal.
            case (.started, _), (.startFailed, _), (.stopped, _), (.failed, .starting), (.removed, .starting):
                preconditionFailure("\(event) in \(state)")
            }
        }
    }

    private func stop(
        _ node: any RunningNode, _ continuation: AsyncStream<Event>.Continuation, farewell: NodeFailure? = nil
    ) -> State {
        logger.notice("stopping")
        notifier.stopping(status: "stopping")
        Task {
            await node.stop()
            continuation.yield(.stopped)
        }
        return .stopping(farewell: farewell)
    }
}
