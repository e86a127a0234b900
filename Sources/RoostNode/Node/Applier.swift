import ByteCoding
import KeyValue
import Raft
import RaftStorage
import RedisServer

/// The thread that applies committed entries to the state, in order, and answers this node's clients.
final class Applier: Sendable {
    enum Work: Sendable {
        case entries([Entry])
        /// Called when everything before is applied.
        case barrier(@Sendable () -> Void)
        case stop
    }

    /// Entries and bytes of one batch to the store: large enough to share its cost, small enough to answer early.
    private static let maxPageEntries = 1024
    private static let maxPageBytes = 1 << 20

    let progress = ThreadProgress()
    private let inbox = Inbox<Work>()
    private let machine: StateMachine
    private let submissions: SubmissionTable
    private let metrics: NodeMetrics
    private let failure: FailureLatch
    private let maintenance: Maintenance
    private let report: @Sendable (ConsensusEvent) -> Void

    init(
        machine: StateMachine, submissions: SubmissionTable, metrics: NodeMetrics, failure: FailureLatch,
        maintenance: Maintenance, report: @escaping @Sendable (ConsensusEvent) -> Void
    ) {
        self.machine = machine
        self.submissions = submissions
        self.metrics = metrics
        self.failure = failure
        self.maintenance = maintenance
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
            for item in work {
                if failure.isSet { return }
                do throws(NodeFailure) {
                    switch item {
                    case .entries(let entries): try apply(entries)
                    case .barrier(let reached): reached()
                    case .stop: return
                    }
                } catch {
                    failure.fail(error)
                    return
                }
            }
        }
    }

    private func apply(_ entries: [Entry]) throws(NodeFailure) {
        var start = 0
        while start < entries.count {
            var end = start
            var bytes = 0
            while end < entries.count, end - start < Self.maxPageEntries, end == start || bytes < Self.maxPageBytes {
                bytes += entries[end].footprintBytes
                end += 1
            }
            try applyPage(entries[start..<end], bytes: bytes)
            start = end
        }
    }

    private func applyPage(_ page: ArraySlice<Entry>, bytes: Int) throws(NodeFailure) {
        guard let last = page.last else { return }
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
        metrics.apply.record(SystemClock.monotonic().since(began))
        metrics.settledCommands.add(commands)
        report(
            .applied(
                AppliedNotice(last: last.id, settled: settled, stamp: applied.stamp, cluster: applied.cluster)))
        maintenance.noteApplied(entries: page.count, bytes: bytes, through: last.index)
    }
}
