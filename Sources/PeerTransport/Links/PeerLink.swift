import Glibc
import Logging
import NIOCore
import NIOPosix
import Raft
import Synchronization

/// The sending half towards one peer: dials it, again and again, and takes messages for it while the connection is up.
///
/// Lives on one event loop for good; `offer` may be called from any thread.
final class PeerLink: Sendable {
    let node: NodeID
    private let shared: TransportContext
    private let loop: any EventLoop
    private let outbox: Outbox
    private let target: Mutex<PeerAddress>
    private let dialling: NIOLoopBoundBox<Dialling>
    private let gate: NIOLoopBoundBox<Gate>
    /// Messages must pass `gate`; set before the event loop sees the first of them.
    private let isGated = Atomic(false)

    private struct Dialling {
        var phase = Phase.idle
        var backoff: Backoff
        /// Dial at once when the connection has ended: the address changed.
        var isMoving = false
    }

    private enum Phase {
        /// Not started. Can become `connecting`, `pausing` or `stopped`.
        case idle
        /// Waits for the connection. Can become `connected`, `pausing` or `stopped`.
        case connecting(EventLoopFuture<any Channel>)
        /// In the handshake, or up. Can become `pausing` or `stopped`.
        case connected(any Channel)
        /// Waits to dial again. Can become `connecting` or `stopped`.
        case pausing(Scheduled<Void>)
        /// For good; the channel, if there is one, is closing.
        case stopped(closed: EventLoopFuture<Void>, channel: (any Channel)?)
    }

    /// Where faults are injected on this side.
    private struct Gate {
        var faults: FaultGate
        var timer: Scheduled<Void>?
    }

    init(node: NodeID, address: PeerAddress, shared: TransportContext, loop: any EventLoop) {
        self.node = node
        self.shared = shared
        self.loop = loop
        target = Mutex(address)
        outbox = Outbox(limits: shared.limits)
        dialling = .makeBoxSendingValue(
            Dialling(backoff: Backoff(min: shared.limits.reconnectMin, max: shared.limits.reconnectMax)),
            eventLoop: loop)
        gate = .makeBoxSendingValue(
            Gate(faults: FaultGate(peer: node, direction: .outgoing, limits: shared.limits)), eventLoop: loop)
    }

    // MARK: Any thread

    /// Where the peer is dialled.
    var address: PeerAddress { target.withLock { $0 } }

    /// Takes those of the messages that are for this peer, and wakes the event loop once for all of them.
    ///
    /// - Returns: how many were for this peer; those that were not taken are appended to `refused`.
    func offer(_ messages: [PeerMessage], refused: inout [PeerMessage]) -> Int {
        if shared.faults.isActive || isGated.load(ordering: .relaxed) { return offerGate(messages) }
        let (matching, mustWake) = outbox.offer(messages, for: node, refused: &refused)
        if mustWake { loop.execute { self.wake() } }
        return matching
    }

    func start() { loop.execute { self.dial() } }

    /// The peer is there, it has just dialled this node: don't wait any longer.
    func hurry() {
        loop.execute {
            guard case .pausing(let next) = self.dialling.value.phase else { return }
            next.cancel()
            self.dial()
        }
    }

    /// The peer is dialled there from now on. What is queued goes out over the old connection first.
    func move(to address: PeerAddress) {
        target.withLock { $0 = address }
        loop.execute { self.moveOnLoop() }
    }

    /// Sends what waits, at most for the drain timeout, then closes for good.
    ///
    /// - Returns: a future that succeeds when everything is closed.
    func drain() -> EventLoopFuture<Void> { loop.flatSubmit { self.stopOnLoop(.drain) } }

    /// Closes the connection; what waits is dropped.
    ///
    /// - Returns: a future that succeeds when everything is closed.
    func stop() -> EventLoopFuture<Void> { loop.flatSubmit { self.stopOnLoop(.stop) } }

    var statistics: PeerStatistics {
        var statistics = PeerStatistics(node: node, address: address)
        outbox.describe(into: &statistics)
        return statistics
    }

    // MARK: On the event loop

    private func wake() {
        guard case .connected(let channel) = dialling.value.phase else { return outbox.acknowledgeWake() }
        channel.pipeline.fireUserInboundEventTriggered(LinkEvent.outboxFilled)
    }

    private func dial() {
        switch dialling.value.phase {
        case .idle, .pausing: break
        // Legal race: `hurry` dialled when the pause's task had been taken off the event loop's queue already, so that
        // cancelling it came too late.
        case .connecting, .connected, .stopped: return
        }
        // A connection that is cut on purpose does not come about.
        guard !shared.faults.cuts(node, .both) else {
            outbox.record { $0.lastFailure = "cut by fault injection" }
            return dialLater()
        }
        let address = address
        let attempt = makeBootstrap().connect(host: address.host, port: address.port)
        dialling.value.isMoving = false
        dialling.value.phase = .connecting(attempt)
        attempt.whenComplete { result in self.dialled(attempt, result) }
    }

    private func dialled(_ attempt: EventLoopFuture<any Channel>, _ result: Result<any Channel, any Error>) {
        guard case .connecting(let current) = dialling.value.phase, current === attempt else { return }
        switch result {
        case .success(let channel):
            dialling.value.phase = .connected(channel)
            if dialling.value.isMoving { return channel.pipeline.fireUserInboundEventTriggered(LinkEvent.drain) }
            // In case the link came up, and messages for it, before this was called.
            channel.pipeline.fireUserInboundEventTriggered(LinkEvent.outboxFilled)
        case .failure(let error): pause(after: .failed(ErrorText(error).text))
        }
    }

    private func makeBootstrap() -> ClientBootstrap {
        ClientBootstrap(group: loop)
            .connectTimeout(.init(shared.limits.connectTimeout))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            // Not writable until the kernel has all: one batch at a time, see BatchEncoder.
            .channelOption(.writeBufferWaterMark, value: .init(low: 1, high: 1))
            .channelOption(.tcpOption(.notSentLowWaterMark), value: .init(shared.limits.maxFrameBytes))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        OutboundHandler(wanted: self.node, shared: self.shared, outbox: self.outbox) { end in
                            self.pause(after: end)
                        })
                }
            }
    }

    /// The connection, or the attempt, ended: dial again after a while.
    private func pause(after end: OutboundHandler.End) {
        switch dialling.value.phase {
        case .connecting, .connected: break
        case .idle, .pausing, .stopped: return
        }
        switch end {
        case .link: dialling.value.backoff.reset()
        case .refused(let refusal) where refusal.kind != .notYet: dialling.value.backoff.saturate()
        case .refused, .failed: break
        }
        report(end)
        dialLater()
    }

    private func dialLater() {
        var delay = Duration.zero
        if dialling.value.isMoving {
            dialling.value.backoff.reset()
        } else {
            var random = SystemRandomNumberGenerator()
            delay = dialling.value.backoff.next(using: &random)
        }
        dialling.value.phase = .pausing(loop.scheduleTask(in: .init(delay)) { self.dial() })
    }

    private func report(_ end: OutboundHandler.End) {
        let metadata: Logger.Metadata = [
            "peer.id": "\(node)", "peer.address": "\(address)", "peer.direction": "\(LinkDirection.dialled.rawValue)",
        ]
        switch end {
        case .link(let reason):
            outbox.record { $0.lastFailure = reason.description }
            let level: Logger.Level = if case .protocolError = reason { .warning } else { .info }
            shared.logger.log(
                level: level, "peer link down", metadata: metadata.merging(["reason": "\(reason)"]) { $1 })
        case .refused(let refusal):
            outbox.record { $0.refusal = refusal.sentence }
            shared.refusals.log(refusal, message: "no agreement with a peer", peer: "\(node)", direction: .dialled)
        case .failed(let what):
            let before = outbox.record { traffic in
                defer { traffic.lastFailure = what }
                return traffic.lastFailure
            }
            shared.logger.log(
                level: before == what ? .debug : .info, "cannot reach a peer, trying again",
                metadata: metadata.merging(["reason": "\(what)"]) { $1 })
        }
    }

    private func moveOnLoop() {
        switch dialling.value.phase {
        case .idle, .stopped: break
        case .pausing(let next):
            next.cancel()
            dialling.value.backoff.reset()
            dial()
        case .connecting: dialling.value.isMoving = true
        case .connected(let channel):
            dialling.value.isMoving = true
            channel.pipeline.fireUserInboundEventTriggered(LinkEvent.drain)
        }
    }

    private func stopOnLoop(_ event: LinkEvent) -> EventLoopFuture<Void> {
        if case .stop = event { loseHeldMessages() }
        var stopping: (any Channel)?
        var closed = loop.makeSucceededVoidFuture()
        switch dialling.value.phase {
        case .idle: break
        case .pausing(let next): next.cancel()
        case .connecting(let attempt):
            closed = attempt.flatMap { $0.close() }.flatMapError { _ in self.loop.makeSucceededVoidFuture() }
        case .connected(let channel): (stopping, closed) = (channel, channel.closeFuture)
        case .stopped(let future, let channel): (stopping, closed) = (channel, future)
        }
        dialling.value.phase = .stopped(closed: closed, channel: stopping)
        stopping?.pipeline.fireUserInboundEventTriggered(event)
        return closed
    }

    // MARK: Fault injection

    /// What `offer` does while faults are set: the messages reach the outbox by way of `gate`, on the event loop. They are
    /// all taken; those that are lost are lost as a network loses them.
    private func offerGate(_ messages: [PeerMessage]) -> Int {
        let own = messages.filter { $0.to == node }
        guard !own.isEmpty else { return 0 }
        isGated.store(true, ordering: .relaxed)
        loop.execute {
            self.gate.value.faults.take(own, board: self.shared.faults, now: self.loop.now)
            self.releaseHeldMessages()
        }
        return own.count
    }

    private func releaseHeldMessages() {
        let due = gate.value.faults.release(now: loop.now)
        var refused: [PeerMessage] = []
        if !due.isEmpty, outbox.offer(due, for: node, refused: &refused).mustWake { wake() }
        gate.value.timer?.cancel()
        gate.value.timer = gate.value.faults.nextDue.map { next in
            loop.scheduleTask(deadline: next) { self.releaseHeldMessages() }
        }
        if gate.value.faults.isEmpty && !shared.faults.isActive { isGated.store(false, ordering: .relaxed) }
    }

    private func loseHeldMessages() {
        gate.value.timer?.cancel()
        gate.value.faults.clear()
    }
}

extension NIOBSDSocket.Option {
    /// How many bytes the kernel takes beyond those on their way (Linux, tcp(7)): more would only stand between a heartbeat
    /// and the wire.
    fileprivate static let notSentLowWaterMark = NIOBSDSocket.Option(rawValue: TCP_NOTSENT_LOWAT)
}
