import Glibc
import Logging
import NIOCore
import NIOPosix
import Raft

/// The sending half towards one peer: dials it, again and again, and takes messages for it while the connection is up.
///
/// Lives on one event loop for good; `offer` may be called from any thread.
final class PeerLink: Sendable {
    let node: NodeID
    let address: PeerAddress
    private let shared: TransportContext
    private let loop: any EventLoop
    private let outbox: Outbox
    private let dialling: NIOLoopBoundBox<Dialling>

    private struct Dialling {
        var phase = Phase.idle
        var backoff: Backoff
    }

    private enum Phase {
        /// Not started. Can become `connecting` or `stopped`.
        case idle
        /// Waits for the connection. Can become `connected`, `pausing` or `stopped`.
        case connecting(EventLoopFuture<any Channel>)
        /// In the handshake, or up. Can become `pausing` or `stopped`.
        case connected(any Channel)
        /// Waits to dial again. Can become `connecting` or `stopped`.
        case pausing(Scheduled<Void>)
        case stopped
    }

    init(node: NodeID, address: PeerAddress, shared: TransportContext, loop: any EventLoop) {
        self.node = node
        self.address = address
        self.shared = shared
        self.loop = loop
        outbox = Outbox(limits: shared.limits)
        dialling = .makeBoxSendingValue(
            Dialling(backoff: Backoff(min: shared.limits.reconnectMin, max: shared.limits.reconnectMax)),
            eventLoop: loop)
    }

    // MARK: Any thread

    /// Takes those of the messages that are for this peer, and wakes the event loop once for all of them.
    ///
    /// - Returns: how many were for this peer; those that were not taken are appended to `refused`.
    func offer(_ messages: [PeerMessage], refused: inout [PeerMessage]) -> Int {
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

    /// Closes the connection; what waits is dropped.
    ///
    /// - Returns: a future that succeeds when everything is closed.
    func stop() -> EventLoopFuture<Void> { loop.flatSubmit { self.stopOnLoop() } }

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
        let attempt = makeBootstrap().connect(host: address.host, port: address.port)
        dialling.value.phase = .connecting(attempt)
        attempt.whenComplete { result in
            guard case .connecting(let current) = self.dialling.value.phase, current === attempt else { return }
            switch result {
            case .success(let channel):
                self.dialling.value.phase = .connected(channel)
                // In case the link came up, and messages for it, before this was called.
                channel.pipeline.fireUserInboundEventTriggered(LinkEvent.outboxFilled)
            case .failure(let error): self.pause(after: .failed(ErrorText(error).text))
            }
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
        case .refused: dialling.value.backoff.saturate()
        case .failed: break
        }
        report(end)
        var random = SystemRandomNumberGenerator()
        let delay = dialling.value.backoff.next(using: &random)
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
        case .refused(let sentence):
            outbox.record { $0.refusal = sentence }
            shared.refusals.log(sentence, message: "no agreement with a peer", peer: "\(node)", direction: .dialled)
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

    private func stopOnLoop() -> EventLoopFuture<Void> {
        defer { dialling.value.phase = .stopped }
        switch dialling.value.phase {
        case .idle, .stopped: break
        case .pausing(let next): next.cancel()
        case .connecting(let attempt):
            return attempt.flatMap { $0.close() }.flatMapError { _ in self.loop.makeSucceededVoidFuture() }
        case .connected(let channel):
            channel.pipeline.fireUserInboundEventTriggered(LinkEvent.stop)
            return channel.closeFuture
        }
        return loop.makeSucceededVoidFuture()
    }
}

extension NIOBSDSocket.Option {
    /// How many bytes the kernel takes beyond those on their way (Linux, tcp(7)): more would only stand between a heartbeat
    /// and the wire.
    fileprivate static let notSentLowWaterMark = NIOBSDSocket.Option(rawValue: TCP_NOTSENT_LOWAT)
}
