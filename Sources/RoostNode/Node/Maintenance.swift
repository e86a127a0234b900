import Raft
import RaftStorage
import Synchronization

/// The thread that flushes the state in good time, so that a restart has little to apply again and the log can be cut.
///
/// A flush takes tens of milliseconds and runs beside the applier: its writes go on into the next memtable.
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
    private let inbox = Inbox<Nudge>()
    private let group: GroupID
    private let store: NodeStore
    private let policy: FlushPolicy
    private let space: SpaceBoard
    private let failure: FailureLatch
    private let report: @Sendable (ConsensusEvent) -> Void

    init(
        group: GroupID, store: NodeStore, policy: FlushPolicy, space: SpaceBoard, failure: FailureLatch,
        report: @escaping @Sendable (ConsensusEvent) -> Void
    ) {
        self.group = group
        self.store = store
        self.policy = policy
        self.space = space
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
            let (isStopping, isDue) = dirt.withLock { dirt in
                (dirt.isStopping, policy.reasonToFlush(dirt.work, now: now) != nil)
            }
            if isStopping { return }
            progress.busy()
            defer { progress.idle() }
            do throws(StorageError) {
                if isDue, space.mayFlush { try store.flushState() }
                try noteDurable()
                if space.mayFlush { try store.tidyLog() }
            } catch {
                failure.fail(NodeFailure(storage: error))
                return
            }
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
