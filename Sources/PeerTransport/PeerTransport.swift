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
/// (Under `NetworkFaults` messages may come twice.)
///
/// A snapshot travels over a connection of its own, so that nothing else ever waits behind it.
package final class PeerTransport: Sendable {
    private let shared: TransportContext
    private let group: any EventLoopGroup
    private let outgoingSnapshots = OutgoingSnapshots()
    private let state = Mutex(State.created(peers: nil))

    private enum State: Sendable {
        /// With the peers of a `setPeers` that came first.
        case created(peers: [NodeID: PeerAddress]?)
        case running(Running)
        case stopped
    }

    private struct Running: Sendable {
        /// Ascending by node.
        var links: [PeerLink]
        /// Those of nodes that left, while they send what was queued.
        var leaving: [PeerLink] = []
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
    ///   - peers: where each node is dialled; this node's own entry is ignored. A `setPeers(_:)` that came before counts
    ///     instead.
    /// - Returns: the address that was bound. If `stop()` came meanwhile, it is free again and nothing runs.
    /// - Precondition: called once.
    package func start(
        listen: PeerAddress, peers: [NodeID: PeerAddress]
    ) async throws(PeerTransportError) -> PeerAddress {
        let listener = try await bind(listen)
        let bound = PeerAddress(host: listen.host, port: listener.localAddress?.port ?? listen.port)
        shared.updateIdentity { if $0.advertisedPeer.isEmpty { $0.advertisedPeer = bound.description } }
        guard let links = run(listener: listener, peers: peers) else {
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

    /// Changes whom this node dials, from any thread but one at a time; returns at once.
    ///
    /// New nodes are dialled. A node that moved is dialled at its new address, after what was queued for it has gone out.
    /// For a node that left, what is queued goes out (at most for `PeerTransportLimits.drainTimeout`), then the links in both
    /// directions are closed and a snapshot on its way to it is cancelled; if it dials again, the delegate decides.
    ///
    /// - Parameter peers: this node's own entry is ignored.
    package func setPeers(_ peers: [NodeID: PeerAddress]) {
        let change: PeerChange? = state.withLock { state in
            switch state {
            case .created: state = .created(peers: peers)
            case .running(var running):
                let change = PeerChange(from: running.links, to: peers, make: makeLink, own: shared.node)
                running.links = change.links
                running.leaving += change.leaving
                state = .running(running)
                return change
            case .stopped: break
            }
            return nil
        }
        guard let change else { return }
        for link in change.arriving { link.start() }
        for (link, address) in change.moving { link.move(to: address) }
        for link in change.leaving { leave(link) }
        outgoingSnapshots.keepOnly(peers)
    }

    /// Makes the network fail on purpose from now on, or no more, for testing. From any thread.
    ///
    /// Messages that are held back by an earlier delay still come when they are due.
    package func setFaults(_ faults: NetworkFaults) { shared.faults.set(faults) }

    /// What `setFaults(_:)` set last.
    package var faults: NetworkFaults { shared.faults.faults }

    /// Sends a snapshot to a peer, over a connection of its own. From any thread; returns at once.
    ///
    /// A connection that breaks is dialled again, and the stream goes on from where the receiver is.
    ///
    /// - Parameters:
    ///   - term: the one in which this node leads; the receiver is told.
    ///   - source: kept until the end.
    ///   - onProgress: on an event loop, after each step.
    ///   - onEnd: on an event loop, once, whatever happens. From then on the next transfer to this peer may begin; one that
    ///     is begun earlier fails at once.
    @discardableResult package func sendSnapshot(
        to node: NodeID, group: GroupID, term: Term, source: any SnapshotSource,
        onProgress: @escaping @Sendable (SnapshotProgress) -> Void = { _ in },
        onEnd: @escaping @Sendable (SnapshotTransferEnd) -> Void
    ) -> SnapshotTransfer {
        let snapshots = outgoingSnapshots
        var job = SnapshotTransfer.Job(
            node: node, group: group, term: term, source: source, totalBytes: source.totalBytes,
            onProgress: onProgress, onEnd: onEnd)
        let begun = snapshots.start(node) { threads in
            job.onEnd = { end in
                snapshots.release(node)
                onEnd(end)
            }
            return makeTransfer(job, threads)
        }
        switch begun {
        case .success(let transfer):
            transfer.start()
            return transfer
        case .failure(let refused):
            job.onEnd = onEnd
            let transfer = makeTransfer(job, nil)
            transfer.fail(refused.sentence)
            return transfer
        }
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
        outgoingSnapshots.describe(into: &statistics)
        shared.incomingSnapshots.describe(into: &statistics)
        shared.faults.describe(into: &statistics)
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
        await outgoingSnapshots.stop()
        let accepted = shared.accepted.stop()
        for channel in accepted { channel.pipeline.fireUserInboundEventTriggered(LinkEvent.stop) }
        let closing = (running.links + running.leaving).map { $0.stop() } + accepted.map(\.closeFuture)
        for future in closing { try? await future.get() }
    }

    // MARK: Parts

    /// - Returns: the links to start, `nil` if `stop()` came first.
    private func run(listener: any Channel, peers: [NodeID: PeerAddress]) -> [PeerLink]? {
        state.withLock { state in
            switch state {
            case .created(let earlier):
                let change = PeerChange(from: [], to: earlier ?? peers, make: makeLink, own: shared.node)
                state = .running(Running(links: change.links, listener: listener))
                return change.links
            case .running: preconditionFailure("a peer transport is started once")
            case .stopped: return nil
            }
        }
    }

    private func makeLink(_ node: NodeID, _ address: PeerAddress) -> PeerLink {
        PeerLink(node: node, address: address, shared: shared, loop: group.next())
    }

    /// Both directions end: what is queued goes out, what the other side sends is heard no more.
    private func leave(_ link: PeerLink) {
        shared.accepted.link(of: link.node)?.pipeline.fireUserInboundEventTriggered(LinkEvent.stop)
        shared.incomingSnapshots.channel(of: link.node)?.pipeline.fireUserInboundEventTriggered(LinkEvent.stop)
        link.drain().whenComplete { [weak self] _ in self?.forget(link) }
    }

    private func forget(_ link: PeerLink) {
        state.withLock { state in
            guard case .running(var running) = state else { return }
            running.leaving.removeAll { $0 === link }
            state = .running(running)
        }
    }

    private func makeTransfer(_ job: SnapshotTransfer.Job, _ threads: NIOThreadPool?) -> SnapshotTransfer {
        SnapshotTransfer(job, shared: shared, threads: threads, loop: group.next()) { [weak self] in
            self?.runningLinks?.first { $0.node == job.node }?.address
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
