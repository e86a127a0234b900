import Logging
import PeerTransport
import Raft
import RaftStorage
import Synchronization

/// The thread that looks at the data directory's file system once a second, and more often when little is left.
///
/// It keeps the reserve file, starts what gives room back, writes one log line for each change, and tells the consensus
/// thread, which decides what that means for writes.
final class SpaceWatch: Sendable {
    private static let interval = Duration.seconds(1)
    /// A gigabyte a second is the most that a disk of today fills up with.
    private static let nearInterval = Duration.milliseconds(100)
    private static let nearBytes: UInt64 = 1 << 30
    /// Just above a limit, or below it, a few MiB matter.
    private static let closeInterval = Duration.milliseconds(20)
    private static let closeBytes: UInt64 = 64 << 20

    private enum Word: Sendable { case stop }

    private struct State: Sendable {
        var gauge = SpaceGauge()
        var lastReport = MonotonicTime.zero
        /// Do not try again before.
        var nextReserve = MonotonicTime.zero
        /// Of the database from before a repair, with the time when it was looked at.
        var copy = (bytes: UInt64(0), at: MonotonicTime.zero)
    }

    private let node: NodeID
    private let configuration: NodeConfiguration
    private let store: NodeStore
    private let reserve: ReserveFile
    private let relief: SpaceRelief
    private let board: SpaceBoard
    private let metrics: NodeMetrics
    private let failure: FailureLatch
    private let logger: Logger
    private let report: @Sendable (ConsensusEvent) -> Void
    private let inbox = Inbox<Word>()
    private let state = Mutex(State())

    init(
        node: NodeID, configuration: NodeConfiguration, store: NodeStore, relief: SpaceRelief, board: SpaceBoard,
        metrics: NodeMetrics, failure: FailureLatch, logger: Logger,
        report: @escaping @Sendable (ConsensusEvent) -> Void
    ) {
        self.node = node
        self.configuration = configuration
        self.store = store
        reserve = ReserveFile(directory: configuration.node.dataDir)
        self.relief = relief
        self.board = board
        self.metrics = metrics
        self.failure = failure
        self.logger = logger
        self.report = report
    }

    func stop() { inbox.push(.stop) }

    /// The body of the thread.
    func run() {
        var words: [Word] = []
        while !failure.isSet {
            let now = SystemClock.monotonic()
            let pause = look(at: now)
            inbox.drain(into: &words, until: now.advanced(by: pause))
            if !words.isEmpty { return }
        }
    }

    /// Looks once.
    ///
    /// - Returns: how long to wait before the next look.
    private func look(at now: MonotonicTime) -> Duration {
        let statistics = store.statistics()
        do throws(StorageError) {
            let space = try FileSystemSpace(of: configuration.node.dataDir)
            let picture = take(SpaceReading(space, statistics), at: now)
            try keepReserve(picture, at: now)
            try relief.consider(picture, statistics, removals: UInt64(metrics.removals.current), now: now)
            // A compaction takes room faster than anything else, and is to be ended in time.
            return relief.isAtWork ? Self.closeInterval : Self.pause(after: picture)
        } catch {
            // Also where only the free space can't be read: who doesn't see a disk fill up meets its end in a write.
            failure.fail(NodeFailure(storage: error))
            return Self.interval
        }
    }

    private static func pause(after picture: SpaceBoard.Picture) -> Duration {
        let (room, limits) = (picture.reading.roomBytes, picture.limits)
        if room < limits.criticalFree + closeBytes { return closeInterval }
        return room < max(limits.minFree * 4, nearBytes) ? nearInterval : interval
    }

    /// Takes a reading: tells everybody who must know. The first comes from the recovery, before any thread runs.
    @discardableResult
    func take(_ reading: SpaceReading, at now: MonotonicTime) -> SpaceBoard.Picture {
        let limits = SpaceLimits(
            configuration.storage, capacityBytes: reading.capacityBytes, scratch: reading.scratchBytes)
        let (level, hasChanged, isDue) = state.withLock { state in
            let hasChanged = state.gauge.take(
                room: reading.roomBytes, lasting: reading.lastingRoomBytes, limits)
            let isDue = hasChanged || state.lastReport == .zero || now.since(state.lastReport) >= Self.interval
            if isDue { state.lastReport = now }
            return (state.gauge.level, hasChanged, isDue)
        }
        let picture = SpaceBoard.Picture(
            reading: reading, limits: limits, level: level, reserveBytes: reserve.byteCount,
            copyBytes: copyBytes(at: now))
        let room = Room(
            node: node, level: level, freeBytes: level == .full ? reading.roomBytes : reading.lastingRoomBytes,
            capacityBytes: reading.capacityBytes, minFreeBytes: limits.minFree, criticalFreeBytes: limits.criticalFree)
        board.update(picture, of: room)
        if hasChanged { announce(picture) }
        if isDue { report(.roomMeasured(room)) }
        return picture
    }

    /// That folder may have many files, and hardly changes: a look a second is enough.
    private func copyBytes(at now: MonotonicTime) -> UInt64 {
        let last = state.withLock { $0.copy }
        if last.at != .zero, now.since(last.at) < Self.interval { return last.bytes }
        let bytes = store.copyBeforeRepairBytes
        state.withLock { $0.copy = (bytes, now) }
        return bytes
    }

    private func announce(_ picture: SpaceBoard.Picture) {
        var metadata: Logger.Metadata = [
            "disk.free": "\(ByteSize.rounded(picture.reading.freeBytes))",
            "disk.owed": "\(ByteSize.rounded(picture.reading.owedBytes))",
            "disk.capacity": "\(ByteSize.rounded(picture.reading.capacityBytes))",
            "disk.min_free": "\(ByteSize.rounded(picture.limits.minFree))",
            "disk.critical_free": "\(ByteSize.rounded(picture.limits.criticalFree))",
        ]
        if picture.copyBytes > 0 {
            metadata["disk.before_repair"] = "\(ByteSize.rounded(picture.copyBytes))"
        }
        switch picture.level {
        case .ample: logger.notice("the disk has room again", metadata: metadata)
        case .low: logger.warning("the disk is low on space: delete keys, or give it room", metadata: metadata)
        case .full: logger.error("the disk is full: this node takes no writes", metadata: metadata)
        }
    }

    // MARK: - The reserve

    /// Makes the reserve where there is room for it besides everything else; one of another size is made anew.
    ///
    /// - Throws: everything but that there was no room after all.
    private func keepReserve(_ picture: SpaceBoard.Picture, at now: MonotonicTime) throws(StorageError) {
        let (wanted, present) = (picture.limits.reserve, picture.reserveBytes)
        guard wanted != present, now >= state.withLock({ $0.nextReserve }) else { return }
        let limits = picture.limits
        guard wanted < present || picture.reading.lastingRoomBytes >= limits.minFree + limits.minFree / 4 + wanted
        else { return }
        do throws(StorageError) {
            try reserve.make(byteCount: wanted)
            logger.info("made the disk's reserve", metadata: ["disk.reserve": "\(ByteSize.rounded(wanted))"])
        } catch {
            guard error.kind == .noSpace else { throw error }
            state.withLock { $0.nextReserve = now.advanced(by: .seconds(60)) }
            logger.warning("the disk's reserve can't be made", metadata: ["error": "\(error.message)"])
        }
    }
}
