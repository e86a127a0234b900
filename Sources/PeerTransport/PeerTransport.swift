package import Logging
package import NIOCore
import NIOPosix
package import Raft
import Synchronization

/// Carries messages between the nodes of a cluster.
///
/// One TCP connection for each ordered pair of nodes: what A sends B goes over the connection that A dialled, what B sends A
/// over B's. So a connection has one direction, one writer and one queue, and neither side has to decide which of two
/// connections counts. (What flows back on it are the answers to handshake and pings.)
///
/// Two lanes share a connection: control (votes, heartbeats, acknowledgements) always goes before bulk (appends and forwarded
/// segments), and bulk is handed to the socket 256 KiB at a time, so that a heartbeat never waits behind a queue of data.
///
/// Delivery is Raft's kind: in order within a lane and connection, never twice, perhaps not at all. Nothing is sent again.
package final class PeerTransport: Sendable {
    private let shared: TransportContext
    private let group: any EventLoopGroup
    private let state = Mutex(State.created)

    private enum State: Sendable {
        case created
        case running(Running)
        case stopped
    }

    private struct Running: Sendable {
        /// Ascending by node.
        var links: [PeerLink]
        var listener: any Channel
        var unroutable: UInt64 = 0
    }

    /// Makes a transport that does nothing yet.
    ///
    /// - Parameters:
    ///   - identity: what this node tells its peers; see `updateIdentity(_:)` for what changes later.
    ///   - group: outlives the transport; call `stop()` before shutting it down.
    ///   - delegate: kept until the transport is gone.
    package init(
        identity: PeerIdentity, limits: PeerTransportLimits = PeerTransportLimits(), group: any EventLoopGroup,
        logger: Logger, delegate: any PeerTransportDelegate
    ) {
        shared = TransportContext(identity: identity, limits: limits, logger: logger, delegate: delegate)
        self.group = group
    }

    /// Listens, and dials every peer until it answers; returns without waiting for any of them.
    ///
    /// - Parameters:
    ///   - listen: port 0 takes any free one.
    ///   - peers: where each node is dialled; this node's own entry is ignored.
    /// - Returns: the address that was bound. If `stop()` came meanwhile, it is free again and nothing runs.
    /// - Precondition: called once.
    package func start(
        listen: PeerAddress, peers: [NodeID: PeerAddress]
    ) async throws(PeerTransportError) -> PeerAddress {
        let listener = try await bind(listen)
        let bound = PeerAddress(host: listen.host, port: listener.localAddress?.port ?? listen.port)
        shared.updateIdentity { if $0.advertisedPeer.isEmpty { $0.advertisedPeer = bound.description } }
        let links = peers.filter { $0.key != shared.node }.sorted { $0.key < $1.key }.map { node, address in
            PeerLink(node: node, address: address, shared: shared, loop: group.next())
        }
        guard run(Running(links: links, listener: listener)) else {
            try? await listener.close()
            return bound
        }
        for link in links { link.start() }
        // Only now does the listener accept: nobody meets a half-started transport.
        listener.setOption(.autoRead, value: true).whenFailure { [logger = shared.logger] error in
            logger.error("peer listener does not accept", metadata: ["reason": "\(ErrorText(error).text)"])
        }
        return bound
    }

    /// Queues messages for the nodes that they are for; from any thread, never blocks, costs one wake-up at most for each
    /// peer.
    ///
    /// Everything that is given in one call and goes to one peer goes out together if it can.
    ///
    /// - Returns: the messages that certainly never leave, those for one peer in order: it is down or unknown, or its queue
    ///   is full (the newest are refused, so what was taken has no gaps). Normally none. All others are delivered, or
    ///   `peerDisconnected` follows.
    @discardableResult package func send(_ messages: [PeerMessage]) -> [PeerMessage] {
        guard !messages.isEmpty else { return [] }
        guard let links = runningLinks else { return messages }
        var refused: [PeerMessage] = []
        let routed = links.reduce(0) { $0 + $1.offer(messages, refused: &refused) }
        if routed < messages.count { refused += refuseUnroutable(messages, links: links) }
        return refused
    }

    /// Changes what this node says about itself in handshakes from now on, e.g. `hasData`.
    ///
    /// - Precondition: node and cluster id stay.
    package func updateIdentity(_ change: (inout PeerIdentity) -> Void) { shared.updateIdentity(change) }

    /// A look at all links; takes their locks one after the other, so it is for a scrape, not for a hot path.
    package func statistics() -> PeerTransportStatistics {
        var statistics = PeerTransportStatistics(
            peers: runningLinks?.map(\.statistics) ?? [], pendingHandshakes: 0, turnedAway: 0,
            unroutableMessages: state.withLock { state in
                if case .running(let running) = state { running.unroutable } else { 0 }
            })
        shared.accepted.describe(into: &statistics)
        return statistics
    }

    /// Closes everything and returns when it is closed; messages still queued are dropped. Peers see an orderly end.
    package func stop() async {
        let running: Running? = state.withLock { state in
            defer { state = .stopped }
            if case .running(let running) = state { return running } else { return nil }
        }
        guard let running else { return }
        try? await running.listener.close()
        let accepted = shared.accepted.stop()
        for channel in accepted { channel.pipeline.fireUserInboundEventTriggered(LinkEvent.stop) }
        let closing = running.links.map { $0.stop() } + accepted.map(\.closeFuture)
        for future in closing { try? await future.get() }
    }

    // MARK: Parts

    /// - Returns: whether `stop()` has not come first.
    private func run(_ running: Running) -> Bool {
        state.withLock { state in
            switch state {
            case .created: state = .running(running)
            case .running: preconditionFailure("a peer transport is started once")
            case .stopped: return false
            }
            return true
        }
    }

    private var runningLinks: [PeerLink]? {
        state.withLock { state in
            if case .running(let running) = state { running.links } else { nil }
        }
    }

    private func refuseUnroutable(_ messages: [PeerMessage], links: [PeerLink]) -> [PeerMessage] {
        let unroutable = messages.filter { message in !links.contains { $0.node == message.to } }
        state.withLock { state in
            guard case .running(var running) = state else { return }
            running.unroutable += UInt64(unroutable.count)
            state = .running(running)
        }
        return unroutable
    }

    private func bind(_ address: PeerAddress) async throws(PeerTransportError) -> any Channel {
        let shared = shared
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.autoRead, value: false)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(
                    minimum: 2 << 10, initial: 16 << 10, maximum: max(16 << 10, shared.limits.maxFrameBytes))
            )
            .childChannelInitializer { [weak self] channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        InboundHandler(shared: shared) { node in self?.hurry(node) })
                }
            }
        do {
            return try await bootstrap.bind(host: address.host, port: address.port).get()
        } catch {
            let cause = ErrorText(error)
            throw PeerTransportError(address: address, errno: cause.errno, cause: cause.text)
        }
    }

    private func hurry(_ node: NodeID) { runningLinks?.first { $0.node == node }?.hurry() }
}
