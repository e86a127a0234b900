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

    let progress = ThreadProgress()
    private let dirt: Mutex<Dirt>
    private let lastDurable = Mutex(LogIndex.zero)
    private let lastErrors = Mutex<UInt64>(0)
    private let inbox = Inbox<Nudge>()
    private let group: GroupID
    private let store: NodeStore
    private let policy: FlushPolicy
    private let space: SpaceBoard
    private let metrics: NodeMetrics
    private let failure: FailureLatch
    private let report: @Sendable (ConsensusEvent) -> Void

    init(
        group: GroupID, store: NodeStore, policy: FlushPolicy, space: SpaceBoard, metrics: NodeMetrics,
        failure: FailureLatch,
        report: @escaping @Sendable (ConsensusEvent) -> Void
    ) {
        self.group = group
        self.store = store
        self.policy = policy
        self.space = space
        self.metrics = metrics
        self.failure = failure
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
                try checkEngine()
                let flushes = isDue && space.mayFlush
                if flushes { try store.flushState() }
                try noteDurable()
                if flushes, let last { try checkDurable(last) }
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
    private func checkEngine() throws(StorageError) {
        let errors = store.backgroundErrors
        let known = lastErrors.withLock { known in
            defer { known = errors }
            return known
        }
        guard errors != known else { return }
        try store.checkEngine()
        // After a failed flush of what is in no log RocksDB takes writes, and flushes nothing any more.
        if space.mayFlush { try store.flushState() }
    }

    /// What was applied before a flush began is durable after it: the log is cut by that.
    private func checkDurable(_ last: LogIndex) throws(StorageError) {
        let durable = lastDurable.withLock { $0 }
        guard durable >= last else {
            throw StorageError(
                .io, "the state was flushed up to entry \(last), and is durable only up to entry \(durable)")
        }
    }

    /// Looks how far the state is durable: RocksDB flushes by itself too.
    private func noteDurable() throws(StorageError) {
        let durable = try store.durableApplied(group).index
        guard durable > lastDurable.withLock({ $0 }) else { return }
        lastDurable.withLock { $0 = durable }
        let tailStart = dirt.withLock { dirt in
            dirt.work.durable(through: durable)
            return dirt.tail.start
        }
        report(.stateDurable(durable, tailStart: tailStart))
    }
}
