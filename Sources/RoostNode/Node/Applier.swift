import ByteCoding
import KeyValue
import Raft
import RaftStorage
import RedisServer
import Synchronization

/// The thread that applies committed entries to the state, in order, and answers this node's clients.
///
/// While it has nothing to do, the thread that gives it its entries may apply some itself (`applyHere`).
final class Applier: Sendable {
    enum Work: Sendable {
        case entries([Entry])
        /// Called when everything before is applied.
        case barrier(@Sendable () -> Void)
        case mark(Mark)
        case stop
    }

    /// A moment that somebody waits for: when exactly the entries up to `index` are applied. Replaces the mark before.
    struct Mark: Sendable {
        var index: LogIndex
        /// On this thread; false: more is applied, or the mark was replaced.
        var reached: @Sendable (Bool) -> Void
    }

    /// Entries and bytes of one batch to the store: large enough to share its cost, small enough to answer early.
    private static let maxPageEntries = 1024
    private static let maxPageBytes = 1 << 20

    let progress = ThreadProgress()
    private let inbox = Inbox<Work>()
    /// What was pushed and is not done; a mark is done when it is reached.
    private let openWork = Atomic<Int>(0)
    private let machine: StateMachine
    private let submissions: SubmissionTable
    private let metrics: NodeMetrics
    private let failure: FailureLatch
    private let maintenance: Maintenance
    /// How far the state has come; a snapshot advances it too.
    private let appliedIndex: @Sendable () throws(StorageError) -> LogIndex
    private let report: @Sendable (ConsensusEvent) -> Void

    init(
        machine: StateMachine, submissions: SubmissionTable, metrics: NodeMetrics, failure: FailureLatch,
        maintenance: Maintenance, appliedIndex: @escaping @Sendable () throws(StorageError) -> LogIndex,
        report: @escaping @Sendable (ConsensusEvent) -> Void
    ) {
        self.machine = machine
        self.submissions = submissions
        self.metrics = metrics
        self.failure = failure
        self.maintenance = maintenance
        self.appliedIndex = appliedIndex
        self.report = report
    }

    func push(_ work: Work) {
        openWork.wrappingAdd(1, ordering: .relaxed)
        inbox.push(work)
    }

    /// Whether everything that was pushed is done. It stays so for whoever alone may push.
    var isIdle: Bool { openWork.load(ordering: .acquiring) == 0 }

    /// Applies entries on the calling thread, and answers clients; `report` is not called.
    ///
    /// - Precondition: `isIdle`, and nobody else may push meanwhile.
    /// - Returns: what `report` would have been told.
    func applyHere(_ entries: [Entry]) throws(NodeFailure) -> [AppliedNotice] {
        var notices: [AppliedNotice] = []
        // A mark that waits is open work.
        var mark: Mark?
        try apply(entries, &mark) { notices.append($0) }
        return notices
    }

    /// The body of the thread; returns after `.stop` or a failure.
    func run() {
        var work: [Work] = []
        var mark: Mark?
        while true {
            work.removeAll(keepingCapacity: true)
            progress.idle()
            inbox.drain(into: &work, until: .never)
            progress.busy()
            for item in work {
                if failure.isSet { return }
                do throws(NodeFailure) {
                    switch item {
                    case .entries(let entries):
                        try apply(entries, &mark) { [report] in report(.applied($0)) }
                    case .mark(let new): try take(new, insteadOf: &mark)
                    case .barrier(let reached): reached()
                    case .stop: return
                    }
                } catch {
                    failure.fail(error)
                    return
                }
                workIsDone()
            }
        }
    }

    private func workIsDone() { openWork.wrappingSubtract(1, ordering: .releasing) }

    private func take(_ new: Mark, insteadOf mark: inout Mark?) throws(NodeFailure) {
        if let former = mark.take() {
            former.reached(false)
            workIsDone()
        }
        let applied: LogIndex
        do throws(StorageError) { applied = try appliedIndex() } catch { throw NodeFailure(storage: error) }
        if new.index <= applied { return new.reached(new.index == applied) }
        mark = new
        openWork.wrappingAdd(1, ordering: .relaxed)
    }

    private func apply(
        _ entries: [Entry], _ mark: inout Mark?, _ report: (AppliedNotice) -> Void
    ) throws(NodeFailure) {
        var start = 0
        while start < entries.count {
            var end = start
            var bytes = 0
            while end < entries.count, end - start < Self.maxPageEntries, end == start || bytes < Self.maxPageBytes {
                bytes += entries[end].footprintBytes
                end += 1
                if entries[end - 1].index == mark?.index { break }
            }
            report(try applyPage(entries[start..<end], bytes: bytes))
            if let due = mark, entries[end - 1].index >= due.index {
                mark = nil
                due.reached(entries[end - 1].index == due.index)
                workIsDone()
            }
            start = end
        }
    }

    /// - Precondition: the page is not empty.
    private func applyPage(_ page: ArraySlice<Entry>, bytes: Int) throws(NodeFailure) -> AppliedNotice {
        let last = page[page.endIndex - 1]
        let began = SystemClock.monotonic()
        var results = ResultGroups()
        var settled: [UInt64] = []
        var commands = 0
        do throws(StorageError) { try Failpoint.applyBefore.reachOrFail() } catch { throw NodeFailure(storage: error) }
        let applied = try machine.apply(page) { origin, outcomes in
            settled.append(origin.sequence)
            commands += outcomes.count
            guard let entry = submissions.take(origin.sequence) else { return }
            results.add(WriteResult(ticket: entry.ticket, outcomes: .success(outcomes)), for: entry.sink)
        }
        Failpoint.applyAfter.reach()
        Failpoint.memberAfterApply.reach(when: applied.cluster != nil)
        // The state can't be ahead of what clients are told, and they are told at once.
        results.deliver()
        Failpoint.applyAfterReply.reach()
        let time = SystemClock.monotonic().since(began)
        metrics.apply.record(time)
        metrics.settledCommands.add(commands)
        metrics.removals.add(applied.removals)
        maintenance.noteApplied(entries: page.count, bytes: bytes, through: last.index)
        return AppliedNotice(
            last: last.id, settled: settled, stamp: applied.stamp, cluster: applied.cluster, time: time)
    }
}
