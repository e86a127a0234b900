import Raft
import RaftStorage
import Synchronization

/// The thread that flushes the state in good time, so that a restart has little to apply again and the log can be cut.
///
/// A flush takes tens of milliseconds and runs beside the applier: its writes go on into the next memtable.
///
/// It also looks after what RocksDB does by itself. An error there is nobody's call, and the next write may be far away.
final class Maintenance: Sendable {
    private struct Dirt: Sendable {
        var work: UnflushedWork
        var tail: LogTail
        var isStopping = false
    }

    private enum Nudge: Sendable { case look }

    /// What only this thread knows.
    private struct Findings {
        /// Of the state, as far as was seen.
        var durable = LogIndex.zero
        var engineErrors: UInt64 = 0
        /// The oldest flush that has ended and is not seen yet: what it made durable, and when it ended.
        var flushed: (through: LogIndex, at: MonotonicTime)?
    }

    /// A flush that has ended is seen by readers a moment later: RocksDB wakes who waits for it when it is in the MANIFEST, and
    /// installs the new files for readers when the same thread has noted other flushes too. Longer than that on a slow disk.
    static let flushPatience = Duration.seconds(60)

    let progress = ThreadProgress()
    private let dirt: Mutex<Dirt>
    private let inbox = Inbox<Nudge>()
    private let group: GroupID
    private let store: NodeStore
    private let policy: FlushPolicy
    private let space: SpaceBoard
    private let metrics: NodeMetrics
    private let failure: FailureLatch
    private let flushPatience: Duration
    private let report: @Sendable (ConsensusEvent) -> Void

    init(
        group: GroupID, store: NodeStore, policy: FlushPolicy, space: SpaceBoard, metrics: NodeMetrics,
        failure: FailureLatch, flushPatience: Duration = Maintenance.flushPatience,
        report: @escaping @Sendable (ConsensusEvent) -> Void
    ) {
        self.group = group
        self.store = store
        self.policy = policy
        self.space = space
        self.metrics = metrics
        self.failure = failure
        self.flushPatience = flushPatience
        self.report = report
        dirt = Mutex(Dirt(work: UnflushedWork(policy), tail: LogTail(limit: policy.slackBytes)))
    }

    /// Called by the applier after each page.
    func noteApplied(entries: Int, bytes: Int, through index: LogIndex) {
        let now = SystemClock.monotonic()
        let isDue = dirt.withLock { dirt in
            dirt.work.applied(through: index, entries: entries, bytes: bytes, now: now)
            dirt.tail.applied(through: index, bytes: bytes)
            return policy.reasonToFlush(dirt.work, now: now) != nil
        }
        if isDue { inbox.push(.look) }
    }

    /// The state was flushed by somebody else, or the log was cut.
    func look() { inbox.push(.look) }

    func stop() {
        dirt.withLock { $0.isStopping = true }
        inbox.push(.look)
    }

    /// The body of the thread.
    func run() {
        var nudges: [Nudge] = []
        var findings = Findings()
        while true {
            nudges.removeAll(keepingCapacity: true)
            inbox.drain(into: &nudges, until: SystemClock.monotonic().advanced(by: .seconds(1)))
            if failure.isSet { return }
            let now = SystemClock.monotonic()
            let (isStopping, isDue, last) = dirt.withLock { dirt in
                (dirt.isStopping, policy.reasonToFlush(dirt.work, now: now) != nil, dirt.work.last)
            }
            if isStopping { return }
            progress.busy()
            defer { progress.idle() }
            do throws(StorageError) {
                try checkEngine(&findings)
                if isDue, space.mayFlush {
                    try store.flushState()
                    if findings.flushed == nil, let last { findings.flushed = (last, SystemClock.monotonic()) }
                }
                try noteDurable(&findings)
                try checkFlushed(&findings)
                publish()
                if space.mayFlush { try store.tidyLog() }
            } catch {
                failure.fail(NodeFailure(storage: error))
                return
            }
        }
    }

    private func publish() {
        let work = dirt.withLock { $0.work }
        metrics.unflushed = NodeMetrics.Unflushed(entries: work.entries, bytes: work.bytes, oldest: work.oldest)
    }

    /// Ends the node for what went wrong in the background. A compaction that found no room is none: RocksDB tries it again,
    /// and the watch over the disk has seen to what else a full disk means.
    private func checkEngine(_ findings: inout Findings) throws(StorageError) {
        let errors = store.backgroundErrors
        guard errors != findings.engineErrors else { return }
        findings.engineErrors = errors
        try store.checkEngine()
        // After a failed flush of what is in no log RocksDB takes writes, and flushes nothing any more.
        if space.mayFlush { try store.flushState() }
    }

    /// What was applied before a flush began is durable after it: the log is cut by that.
    private func checkFlushed(_ findings: inout Findings) throws(StorageError) {
        guard let (last, ended) = findings.flushed else { return }
        if findings.durable >= last {
            findings.flushed = nil
        } else if SystemClock.monotonic().since(ended) > flushPatience {
            throw StorageError(
                .io, "the state was flushed up to entry \(last), and is durable only up to entry \(findings.durable)")
        }
    }

    /// Looks how far the state is durable: RocksDB flushes by itself too.
    private func noteDurable(_ findings: inout Findings) throws(StorageError) {
        let durable = try store.durableApplied(group).index
        guard durable > findings.durable else { return }
        findings.durable = durable
        let tailStart = dirt.withLock { dirt in
            dirt.work.durable(through: durable)
            return dirt.tail.start
        }
        report(.stateDurable(durable, tailStart: tailStart))
    }
}
