import Logging
import NIOCore
import NIOPosix
package import Raft
import Synchronization

/// How sending a snapshot ended.
package enum SnapshotTransferEnd: Hashable, Sendable {
    /// The receiver's sink has finished, or it held the snapshot already.
    case delivered
    /// The receiver does not want it or could not keep it; one sentence.
    case refused(String)
    /// No progress for `PeerTransportLimits.snapshotTimeout`, or the source cannot be read; one sentence.
    case failed(String)
    /// By `SnapshotTransfer.cancel()`, because the peer left (`PeerTransport.setPeers(_:)`), or by `PeerTransport.stop()`.
    case cancelled
}

/// A snapshot on its way to a peer: dials, dials again when the connection breaks, and goes on from where the receiver is.
///
/// Lives on one event loop.
package final class SnapshotTransfer: Sendable {
    /// What is sent, and to whom.
    struct Job: Sendable {
        var node: NodeID
        var group: GroupID
        var term: Term
        var source: any SnapshotSource
        var totalBytes: UInt64
        var onProgress: @Sendable (SnapshotProgress) -> Void
        var onEnd: @Sendable (SnapshotTransferEnd) -> Void
    }

    private let job: Job
    private let shared: TransportContext
    private let threads: NIOThreadPool?
    private let loop: any EventLoop
    /// Where the peer is dialled now, `nil` if it is none any more.
    private let address: @Sendable () -> PeerAddress?
    private let latest: Mutex<SnapshotProgress>
    private let dialling: NIOLoopBoundBox<Dialling>
    private let ended: EventLoopPromise<Void>

    private struct Dialling {
        var phase = Phase.idle
        var backoff: Backoff
        /// When the receiver last acknowledged something new.
        var lastProgress = NIODeadline.uptimeNanoseconds(0)
        var lastFailure = "no connection"
        var timer: Scheduled<Void>?
    }

    private enum Phase {
        /// Not started. Can become `connecting` or `ended`.
        case idle
        /// Waits for the connection. Can become `connected`, `pausing` or `ended`.
        case connecting(EventLoopFuture<any Channel>)
        /// Streams. Can become `pausing` or `ended`.
        case connected(any Channel)
        /// Waits to dial again. Can become `connecting` or `ended`.
        case pausing(Scheduled<Void>)
        case ended
    }

    /// - Parameter threads: `nil` only for a transfer that fails before it starts.
    init(
        _ job: Job, shared: TransportContext, threads: NIOThreadPool?, loop: any EventLoop,
        address: @escaping @Sendable () -> PeerAddress?
    ) {
        self.job = job
        self.shared = shared
        self.threads = threads
        self.loop = loop
        self.address = address
        latest = Mutex(SnapshotProgress(transferredBytes: 0, totalBytes: job.totalBytes))
        dialling = .makeBoxSendingValue(
            Dialling(backoff: Backoff(min: shared.limits.reconnectMin, max: shared.limits.reconnectMax)),
            eventLoop: loop)
        ended = loop.makePromise()
    }

    /// Who receives it.
    package var node: NodeID { job.node }

    /// What the receiver has acknowledged.
    package var progress: SnapshotProgress { latest.withLock { $0 } }

    /// Ends the transfer; what the receiver has so far it keeps. No effect when it has ended. From any thread.
    package func cancel() { loop.execute { self.end(.cancelled) } }

    /// Succeeds after the end, when everything is closed and told.
    var whenEnded: EventLoopFuture<Void> { ended.futureResult }

    func start() {
        loop.execute {
            self.dialling.value.lastProgress = self.loop.now
            self.dial()
            self.watch()
        }
    }

    /// Ends a transfer that may not start.
    func fail(_ sentence: String) { loop.execute { self.end(.failed(sentence)) } }

    // MARK: On the event loop

    private func dial() {
        switch dialling.value.phase {
        case .idle, .pausing: break
        case .connecting, .connected, .ended: return
        }
        guard let threads else { preconditionFailure("a snapshot is sent without a thread to read it") }
        guard let address = address() else { return end(.failed("node \(node) is no peer of this node")) }
        guard !shared.faults.cuts(node, .both) else { return pause("cut by fault injection") }
        let attempt = makeBootstrap(threads).connect(host: address.host, port: address.port)
        dialling.value.phase = .connecting(attempt)
        attempt.whenComplete { result in
            switch (result, self.dialling.value.phase) {
            case (.success(let channel), .connecting(let current)) where current === attempt:
                self.dialling.value.phase = .connected(channel)
            // Ended meanwhile.
            case (.success(let channel), _): channel.close(promise: nil)
            case (.failure(let error), .connecting(let current)) where current === attempt:
                self.pause(ErrorText(error).text)
            case (.failure, _): break
            }
        }
    }

    private func makeBootstrap(_ threads: NIOThreadPool) -> ClientBootstrap {
        ClientBootstrap(group: loop)
            .connectTimeout(.init(shared.limits.connectTimeout))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        SnapshotSendHandler(transfer: self.job, shared: self.shared, threads: threads) { event in
                            self.take(event)
                        })
                }
            }
    }

    private func take(_ event: SnapshotSendHandler.Event) {
        switch event {
        // No progress yet: a receiver that accepts and then breaks off, again and again, must not be dialled for ever.
        case .accepted(let offset): report(offset)
        case .progress(let offset):
            dialling.value.lastProgress = loop.now
            dialling.value.backoff.reset()
            report(offset)
        case .ended(.delivered): end(.delivered)
        case .ended(.refused(let sentence)): end(.refused(sentence))
        case .ended(.sourceFailed(let sentence)): end(.failed(sentence))
        case .ended(.broken(let what)): pause(what)
        case .ended(.stopped): end(.cancelled)
        }
    }

    private func report(_ offset: UInt64) {
        let progress = SnapshotProgress(transferredBytes: offset, totalBytes: job.totalBytes)
        latest.withLock { $0 = progress }
        job.onProgress(progress)
    }

    private func pause(_ what: String) {
        if case .ended = dialling.value.phase { return }
        shared.logger.info(
            "snapshot interrupted, going on soon",
            metadata: [
                "peer.id": "\(node)", "reason": "\(what)", "snapshot.offset": "\(progress.transferredBytes)",
                "snapshot.bytes": "\(job.totalBytes)",
            ])
        dialling.value.lastFailure = what
        var random = SystemRandomNumberGenerator()
        let delay = dialling.value.backoff.next(using: &random)
        dialling.value.phase = .pausing(loop.scheduleTask(in: .init(delay)) { self.dial() })
    }

    /// Gives up when there was no progress for too long.
    private func watch() {
        if case .ended = dialling.value.phase { return }
        let quiet = loop.now - dialling.value.lastProgress
        let timeout = TimeAmount(shared.limits.snapshotTimeout)
        guard quiet < timeout else {
            return end(.failed("no progress for \(shared.limits.snapshotTimeout): \(dialling.value.lastFailure)"))
        }
        dialling.value.timer = loop.scheduleTask(in: timeout - quiet) { self.watch() }
    }

    private func end(_ end: SnapshotTransferEnd) {
        var closed = loop.makeSucceededVoidFuture()
        var stopping: (any Channel)?
        switch dialling.value.phase {
        case .ended: return
        case .idle: break
        case .pausing(let next): next.cancel()
        case .connecting(let attempt):
            closed = attempt.flatMap { $0.closeFuture }.flatMapError { _ in self.loop.makeSucceededVoidFuture() }
        case .connected(let channel): (stopping, closed) = (channel, channel.closeFuture)
        }
        dialling.value.phase = .ended
        dialling.value.timer?.cancel()
        stopping?.pipeline.fireUserInboundEventTriggered(LinkEvent.stop)
        closed.whenComplete { _ in
            self.job.onEnd(end)
            self.ended.succeed()
        }
    }
}
