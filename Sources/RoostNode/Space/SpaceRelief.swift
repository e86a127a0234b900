import Logging
import Raft
import RaftStorage
import Synchronization

/// Carries out what `ReliefPlan` decides, on a thread of its own: some of it takes long.
final class SpaceRelief: Sendable {
    private let group: GroupID
    private let store: NodeStore
    private let board: SpaceBoard
    private let failure: FailureLatch
    private let logger: Logger
    private let stateFlushed: @Sendable () -> Void
    private let plan = Mutex(ReliefPlan())
    private let isBusy = Atomic<Bool>(false)
    private let isCompacting = Atomic<Bool>(false)
    private let pool = BlockingPool(threads: 1, name: "roost-relief")

    /// - Parameter stateFlushed: the log can be cut further now.
    init(
        group: GroupID, store: NodeStore, board: SpaceBoard, failure: FailureLatch, logger: Logger,
        stateFlushed: @escaping @Sendable () -> Void
    ) {
        self.group = group
        self.store = store
        self.board = board
        self.failure = failure
        self.logger = logger
        self.stateFlushed = stateFlushed
    }

    /// Whether a step is under way.
    var isAtWork: Bool { isBusy.load(ordering: .acquiring) }

    /// Does what is worth doing, unless it is at it already. Returns at once.
    func consider(
        _ picture: SpaceBoard.Picture, _ statistics: StoreStatistics, removals: UInt64, now: MonotonicTime
    ) throws(StorageError) {
        guard !isAtWork else { return try endHungryCompaction(picture) }
        let situation = ReliefPlan.Situation(
            picture: picture, walBytes: statistics.walBytes, logTableBytes: statistics.logTableBytes,
            obsoleteBytes: statistics.stateTableBytes - min(statistics.stateTableBytes, statistics.liveStateBytes),
            idleCopyBytes: try idleCopyBytes(picture), cuts: board.cuts, removals: removals, now: now)
        let steps = plan.withLock { $0.next(situation) }
        guard !steps.isEmpty else { return }
        isBusy.store(true, ordering: .releasing)
        pool.run { [self] in
            do throws(StorageError) {
                for step in steps where !failure.isSet { try perform(step) }
            } catch {
                failure.fail(NodeFailure(storage: error))
            }
            isBusy.store(false, ordering: .releasing)
        }
    }

    /// Of a suspect node it may be all that is left of what it has promised; and since such a node is counted for nothing,
    /// its disk stops nobody's writes. A node that was trusted by an operator's word still has it.
    private func idleCopyBytes(_ picture: SpaceBoard.Picture) throws(StorageError) -> UInt64 {
        guard picture.copyBytes > 0 else { return 0 }
        return try store.isSuspect() ? 0 : picture.copyBytes
    }

    /// Its output may be as large as its input: nobody knows before.
    private func endHungryCompaction(_ picture: SpaceBoard.Picture) throws(StorageError) {
        guard isCompacting.load(ordering: .acquiring), picture.reading.roomBytes < picture.leastRoomOfCompactions else {
            return
        }
        logger.warning("ended a compaction that took too much room: it is tried again after more deletions")
        try store.cancelCompaction()
        store.allowCompaction()
    }

    private func perform(_ step: ReliefPlan.Step) throws(StorageError) {
        logger.debug("giving room back", metadata: ["disk.relief": "\(step)"])
        switch step {
        case .resumeCompactions: try store.setCompactsByItself(true)
        case .pauseCompactions: try store.setCompactsByItself(false)
        case .dropSnapshots: try store.dropFinishedSnapshots(of: group)
        case .dropCopyBeforeRepair: try store.giveUpCopyBeforeRepair("room is short", logger)
        case .flushState:
            try store.flushState()
            stateFlushed()
        case .flushLog: try store.flushLog()
        case .compactLog: timed { store.compactLog() }
        case .compactState: timed { store.compactState() }
        }
    }

    private func timed(_ compact: () -> Void) {
        let start = SystemClock.monotonic()
        isCompacting.store(true, ordering: .releasing)
        compact()
        isCompacting.store(false, ordering: .releasing)
        let end = SystemClock.monotonic()
        plan.withLock { $0.compacted(from: start, to: end) }
    }

    /// Ends what is under way: before the store is closed, which tells of errors itself.
    func stop() {
        try? store.cancelCompaction()
        pool.stop()
    }
}
