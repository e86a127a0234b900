import Raft
import RaftStorage
import Synchronization

/// The thread that makes the log durable: whatever is queued is one synced write.
///
/// While it waits for the disk the consensus thread goes on, and what comes meanwhile shares the next sync.
final class LogWriter: Sendable {
    enum Work: Sendable {
        case persist(PersistBatch)
        /// Cuts the log up to and including this index.
        case truncate(GroupID, EntryID)
        /// Makes a received snapshot the node's state; the applier has nothing to do meanwhile.
        case install(SnapshotMeta)
        case stop
    }

    let progress = ThreadProgress()
    private let inbox = Inbox<Work>()
    private let store: NodeStore
    private let installer: SnapshotInstaller
    private let metrics: NodeMetrics
    private let failure: FailureLatch
    private let report: @Sendable (ConsensusEvent) -> Void

    /// - Parameter report: reaches the consensus thread.
    init(
        store: NodeStore, installer: SnapshotInstaller, metrics: NodeMetrics, failure: FailureLatch,
        report: @escaping @Sendable (ConsensusEvent) -> Void
    ) {
        self.store = store
        self.installer = installer
        self.metrics = metrics
        self.failure = failure
        self.report = report
    }

    func push(_ work: Work) { inbox.push(work) }

    /// The body of the thread; returns after `.stop` or a failure.
    func run() {
        var work: [Work] = []
        while true {
            work.removeAll(keepingCapacity: true)
            progress.idle()
            inbox.drain(into: &work, until: .never)
            progress.busy()
            if failure.isSet { return }
            do throws(StorageError) {
                if try perform(work) == .stop { return }
            } catch {
                failure.fail(NodeFailure(storage: error))
                return
            }
        }
    }

    private enum Continuation { case goOn, stop }

    private func perform(_ work: [Work]) throws(StorageError) -> Continuation {
        var batches: [PersistBatch] = []
        batches.reserveCapacity(work.count)
        for item in work {
            if case .persist(let batch) = item { batches.append(batch) }
        }
        if let last = batches.last {
            let start = SystemClock.monotonic()
            try store.write(batches)
            let time = SystemClock.monotonic().since(start)
            metrics.logSync.record(time)
            report(.persisted(last.ticket, time: time))
            Failpoint.logAfterReport.reach()
        }
        for item in work {
            switch item {
            case .persist: continue
            case .truncate(let group, let entry):
                if try store.truncateLog(group, through: entry) { report(.truncated(entry)) }
            case .install(let meta): report(try installer.install(meta))
            case .stop: return .stop
            }
        }
        return .goOn
    }
}
