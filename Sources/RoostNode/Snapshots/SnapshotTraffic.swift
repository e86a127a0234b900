import ByteCoding
import Logging
import PeerTransport
import Raft
import RaftStorage
import Synchronization

/// Snapshots on their way: files that this node sends, and those that it receives until the core says what becomes of
/// them. All of its disk work happens on a thread of its own, so that neither clients nor the log wait for it.
final class SnapshotTraffic: Sendable {
    private let group: GroupID
    private let store: NodeStore
    private let space: SpaceBoard
    private let failure: FailureLatch
    private let logger: Logger
    private let report: @Sendable (ConsensusEvent) -> Void
    private let pool = BlockingPool(threads: 1, name: "roost-snap")
    private let isStopping = Signal()
    private let maker: SnapshotMaker
    /// Whole and checked; the core has not decided yet.
    private let received = Mutex(Received())
    /// A snapshot failed for lack of room, and none went well since.
    private let isShort = Atomic<Bool>(false)
    /// The leader whose snapshot had no room, in its term, and since when.
    private let shortage = Mutex<(term: Term, leader: NodeID, since: MonotonicTime)?>(nil)
    private let copyPatience: Duration?

    private struct Received {
        var waiting: [ReceivedSnapshot] = []
        /// The last one that was taken to be installed.
        var installing: SnapshotMeta?

        func holds(_ meta: SnapshotMeta) -> Bool {
            installing == meta || waiting.contains { $0.description.meta == meta }
        }

        mutating func remove(_ meta: SnapshotMeta) -> ReceivedSnapshot? {
            waiting.firstIndex { $0.description.meta == meta }.map { waiting.remove(at: $0) }
        }
    }

    /// - Parameters:
    ///   - copyPatience: a leader that is in office after so long has a majority that answers it; nil: none need have.
    ///   - report: reaches the consensus thread.
    init(
        group: GroupID, store: NodeStore, space: SpaceBoard, board: StatusBoard, failure: FailureLatch, logger: Logger,
        copyPatience: Duration?, report: @escaping @Sendable (ConsensusEvent) -> Void
    ) {
        self.group = group
        self.store = store
        self.space = space
        self.failure = failure
        self.logger = logger
        self.copyPatience = copyPatience
        self.report = report
        maker = SnapshotMaker(group: group, store: store, space: space, board: board)
    }

    /// Ends the thread, and what it is at. What is queued is forgotten: the process ends.
    func stop() {
        isStopping.raise()
        pool.stop()
    }

    /// Runs disk work of a transfer; an error of the storage ends the node.
    func run(_ body: @escaping @Sendable () throws(StorageError) -> Void) {
        pool.run { [failure] in
            if failure.isSet { return }
            do throws(StorageError) {
                try body()
            } catch {
                if error.kind != .cancelled { failure.fail(NodeFailure(storage: error)) }
            }
        }
    }

    /// Asked again and again by what takes as long as reading a whole snapshot.
    ///
    /// - Throws: `.cancelled` when this node stops.
    func checkGoesOn() throws(StorageError) {
        if isStopping.isRaised || failure.isSet { throw StorageError(.cancelled, "this node stops") }
    }

    // MARK: - Sending

    /// Makes a snapshot of what is applied here, unless the last one will do, and sends it.
    ///
    /// Reported to the consensus thread as `.snapshotReported`, once.
    ///
    /// - Parameters:
    ///   - term: in which this node leads.
    ///   - base: the log begins after it; an older snapshot would leave a gap.
    func send(to node: NodeID, term: Term, notBefore base: LogIndex, through transport: PeerTransport) {
        run { [self] () throws(StorageError) in
            guard let reader = try make(in: term, notBefore: base) else {
                return report(.snapshotReported(to: node, .failed))
            }
            Failpoint.snapshotSendBefore.reach()
            isShort.store(false, ordering: .relaxed)
            let source = self.source(reader)
            logger.info(
                "sending a snapshot",
                metadata: ["peer.id": "\(node)", "raft.index": "\(reader.meta.index)", "bytes": "\(reader.totalBytes)"])
            _ = transport.sendSnapshot(
                to: node, group: group, term: term, source: source,
                onEnd: { [self] end in
                    Failpoint.snapshotSendAfter.reach()
                    logger.info("snapshot sent", metadata: ["peer.id": "\(node)", "snapshot.end": "\(end)"])
                    ended(end, of: source)
                    report(.snapshotReported(to: node, end == .delivered ? .delivered(reader.meta.index) : .failed))
                })
        }
    }

    /// A receiver may have found fault with the file: sending it again would not help. Not one that refused the offer, for
    /// want of room say: it does so again and again, and has seen nothing of the file.
    func ended(_ end: SnapshotTransferEnd, of source: SnapshotFileSource) {
        if case .refused = end, source.wasRead { recheck() }
    }

    /// The file, as the transport reads it: on threads of its own, which know nothing of disks.
    func source(_ reader: SnapshotReader) -> SnapshotFileSource {
        SnapshotFileSource(reader) { [self] error in unreadable(reader.meta, error) }
    }

    /// The transfer fails, and will be tried again: not with this file, and not at all on a disk that failed.
    private func unreadable(_ meta: SnapshotMeta, _ error: StorageError) {
        guard error.kind == .corruption else { return failure.fail(NodeFailure(storage: error)) }
        // It is made of what the node has: nothing is lost with it. Before the failed transfer is told of, so that the next
        // attempt stands behind this in the queue.
        run { [self] () throws(StorageError) in
            try store.dropSnapshot(of: group, through: meta.index)
            logger.error("this node's own snapshot was damaged and is made anew", metadata: ["error": "\(error)"])
        }
    }

    /// Drops this node's own snapshot if it is damaged.
    private func recheck() {
        run { [self] () throws(StorageError) in
            let fault = try store.recheckSnapshot(group) { () throws(StorageError) in try checkGoesOn() }
            guard let fault else { return }
            logger.error("this node's own snapshot was damaged and is made anew", metadata: ["error": "\(fault)"])
        }
    }

    /// Nil where only the snapshot could not be made, and the node goes on without.
    private func make(in term: Term, notBefore base: LogIndex) throws(StorageError) -> SnapshotReader? {
        do throws(StorageError) {
            return try maker.make(in: term, notBefore: base) { () throws(StorageError) in try checkGoesOn() }
        } catch {
            switch error.kind {
            case .noSpace: noteShortage(error.message)
            case .cancelled: logger.info("a snapshot is not made to its end", metadata: ["reason": "\(error.message)"])
            case .invariant: logger.error("no snapshot can be made now", metadata: ["error": "\(error.message)"])
            default: throw error
            }
            return nil
        }
    }

    /// Asked for again and again while it lasts: one line says it.
    private func noteShortage(_ sentence: String) {
        let isNews = isShort.exchange(true, ordering: .relaxed) == false
        if isNews { logger.warning("\(sentence): trying again when the disk has it") }
    }

    // MARK: - Receiving

    /// A repaired node has a second database, and without the snapshot it would never be rid of it. A leader that offers
    /// one for so long was confirmed by a majority without this node: what was committed, that one has, and the second
    /// database is not needed for it. The next offer finds the room.
    private func giveUpCopyBeforeRepair(for offer: SnapshotOffer) throws(StorageError) {
        guard let copyPatience else { return }
        let now = SystemClock.monotonic()
        let since = shortage.withLock { shortage in
            if let known = shortage, known.term == offer.term, known.leader == offer.from { return known.since }
            shortage = (offer.term, offer.from, now)
            return now
        }
        guard now.since(since) >= copyPatience else { return }
        try store.giveUpCopyBeforeRepair("a snapshot has no room beside it", logger)
    }

    func receive(_ offer: SnapshotOffer, answer: @escaping @Sendable (SnapshotAnswer) -> Void) {
        run { [self] () throws(StorageError) in
            do throws(SnapshotError) {
                let description = try SnapshotDescription(decoding: offer.metadata)
                guard description.group == group, description.totalBytes == offer.totalBytes else {
                    return answer(.refuse("the offer and its description differ"))
                }
                if try isHeld(description.meta, offer) { return answer(.alreadyHeld) }
                // What is freed here the next look at the disk will see, and so the next offer.
                let here = try store.makeWay(for: description, from: offer.from)
                guard space.hasRoom(for: Self.roomToReceive(offer.totalBytes, here: here)) else {
                    noteShortage("no room to receive a snapshot of \(ByteSize.rounded(offer.totalBytes))")
                    do throws(StorageError) { try giveUpCopyBeforeRepair(for: offer) } catch { throw .storage(error) }
                    return answer(.refuse("node \(store.identity.node) has no room for it"))
                }
                isShort.store(false, ordering: .relaxed)
                shortage.withLock { $0 = nil }
                let writer = try store.receiveSnapshot(description, from: offer.from)
                logger.notice(
                    "receiving a snapshot",
                    metadata: [
                        "peer.id": "\(offer.from)", "raft.index": "\(description.meta.index)",
                        "bytes": "\(offer.totalBytes)", "offset": "\(writer.offset)",
                    ])
                let sink = SnapshotFileSink(writer, from: offer.from, term: offer.term, traffic: self)
                answer(.accept(sink, resumeAt: writer.offset))
            } catch {
                switch error {
                case .malformed(let what): answer(.refuse(what))
                case .storage(let error):
                    guard error.kind == .noSpace else { throw error }
                    noteShortage("no room to receive a snapshot of \(ByteSize.rounded(offer.totalBytes))")
                    answer(.refuse("node \(store.identity.node) has no room for it"))
                }
            }
        }
    }

    /// The rest of the file, and what is made of it while the file is still there.
    private static func roomToReceive(_ total: UInt64, here: UInt64) -> UInt64 {
        let (sum, overflow) = total.addingReportingOverflow(total - min(here, total))
        return overflow ? .max : sum
    }

    /// The end of a stream may have been lost on the way back to the sender, which then offers it again.
    private func isHeld(_ meta: SnapshotMeta, _ offer: SnapshotOffer) throws(SnapshotError) -> Bool {
        let applied: LogIndex
        do throws(StorageError) { applied = try store.appliedPosition(group)?.id.index ?? .zero } catch {
            throw .storage(error)
        }
        guard meta.index <= applied else { return received.withLock { $0.holds(meta) } }
        // The core answers the leader.
        report(.snapshotReceived(meta, from: offer.from, term: offer.term))
        return true
    }

    /// A snapshot is whole: the core decides what becomes of it.
    func keep(_ snapshot: ReceivedSnapshot, from node: NodeID, term: Term) throws(StorageError) {
        let meta = snapshot.description.meta
        let older = received.withLock { received -> [ReceivedSnapshot] in
            defer { received.waiting = received.waiting.filter { $0.description.meta != meta } + [snapshot] }
            return received.waiting.filter { $0.description.meta == meta && $0 != snapshot }
        }
        for snapshot in older { try store.discard(snapshot) }
        report(.snapshotReceived(meta, from: node, term: term))
    }

    /// The received snapshot of that name, to be installed.
    func take(_ meta: SnapshotMeta) -> ReceivedSnapshot? {
        received.withLock { received in
            received.installing = meta
            return received.remove(meta)
        }
    }

    /// The core has no use for it.
    func discard(_ meta: SnapshotMeta) {
        run { [self] () throws(StorageError) in
            let unwanted = received.withLock { $0.remove(meta) }
            if let unwanted { try store.discard(unwanted) }
        }
    }
}

/// A snapshot file that grows as it arrives.
private final class SnapshotFileSink: SnapshotSink {
    private let writer: SnapshotWriter
    private let node: NodeID
    private let term: Term
    private let traffic: SnapshotTraffic

    init(_ writer: SnapshotWriter, from node: NodeID, term: Term, traffic: SnapshotTraffic) {
        self.writer = writer
        self.node = node
        self.term = term
        self.traffic = traffic
    }

    func append(_ chunk: Bytes, at offset: UInt64, done: @escaping @Sendable (SnapshotSinkResult) -> Void) {
        work(done) { [writer] () throws(SnapshotError) in try writer.append(chunk, at: offset) }
    }

    func finish(done: @escaping @Sendable (SnapshotSinkResult) -> Void) {
        work(done) { [writer, traffic, node, term] () throws(SnapshotError) in
            let snapshot = try writer.finish { () throws(StorageError) in try traffic.checkGoesOn() }
            do throws(StorageError) {
                try traffic.keep(snapshot, from: node, term: term)
            } catch {
                throw .storage(error)
            }
        }
    }

    /// What has arrived stays: the next offer goes on from there.
    func interrupted(_ reason: String) {}

    private func work(
        _ done: @escaping @Sendable (SnapshotSinkResult) -> Void,
        _ body: @escaping @Sendable () throws(SnapshotError) -> Void
    ) {
        traffic.run { [writer] () throws(StorageError) in
            do throws(SnapshotError) {
                try body()
                done(.done)
            } catch {
                switch error {
                case .malformed(let what): done(.failed(what))
                case .storage(let error):
                    // The transfer alone suffers, and gives back what it took; `finish` has done so by itself. Of a node that stops
                    // nobody waits for a word.
                    guard error.kind == .noSpace else { throw error }
                    try writer.discard()
                    done(.failed("no space left for the snapshot: \(error.message)"))
                }
            }
        }
    }
}
