import ByteCoding
import PeerTransport
import Raft
import RaftStorage

/// The thread that reads a part of the state as of one moment, as gently as the scrub, and says what it found.
///
/// A moment holds back what could be freed: a new question makes an old one void.
final class ComparisonReader: Sendable {
    struct Work: Sendable {
        var request: ComparisonRequest
        /// Nil: stop.
        var moment: StateMoment?
    }

    /// Read between two pauses.
    private static let stepBytes = 256 << 10
    /// Of a node that asks for no comparison itself, and answers.
    private static let defaultRate = 8 << 20

    private let inbox = Inbox<Work?>()
    private let node: NodeID
    private let store: NodeStore
    private let bytesPerSecond: Int
    private let metrics: NodeMetrics
    private let failure: FailureLatch
    private let deliver: @Sendable (ComparisonReport, _ lastKeys: [Bytes]) -> Void

    /// - Parameter deliver: brings a report to the leader who asked.
    init(
        node: NodeID, store: NodeStore, bytesPerSecond: Int, metrics: NodeMetrics, failure: FailureLatch,
        deliver: @escaping @Sendable (ComparisonReport, _ lastKeys: [Bytes]) -> Void
    ) {
        self.node = node
        self.store = store
        self.bytesPerSecond = bytesPerSecond > 0 ? bytesPerSecond : Self.defaultRate
        self.metrics = metrics
        self.failure = failure
        self.deliver = deliver
    }

    /// The applier has applied exactly what was asked for: on its thread.
    func reached(_ request: ComparisonRequest) {
        inbox.push(Work(request: request, moment: store.stateMoment()))
    }

    /// The applier is past it.
    func missed(_ request: ComparisonRequest) { deliver(ComparisonSample.missed(request, by: node), []) }

    func stop() { inbox.push(nil) }

    /// Lets moments go that came after the end, so that the store can be closed.
    func discard() {
        var rest: [Work?] = []
        inbox.drain(into: &rest, until: .zero)
    }

    /// The body of the thread.
    func run() {
        var queue: [Work?] = []
        while true {
            if queue.isEmpty { inbox.drain(into: &queue, until: .never) }
            if failure.isSet || queue.contains(where: { $0 == nil }) { return }
            guard let work = queue.last ?? nil else { continue }
            queue.removeAll()
            do throws(StorageError) { try read(work, interruptedBy: &queue) } catch {
                failure.fail(NodeFailure(storage: error))
                return
            }
        }
    }

    /// Stops when something new comes, which is in `queue` then.
    private func read(_ work: Work, interruptedBy queue: inout [Work?]) throws(StorageError) {
        guard let moment = work.moment else { return }
        var sample = ComparisonSample(work.request)
        var next = SystemClock.monotonic()
        var (seen, counted) = (0, 0)
        var newer: [Work?] = []
        let applied = try store.scanState(
            of: work.request.group, at: moment, from: work.request.first, to: work.request.end
        ) { key, value in
            guard sample.add(key, value) else { return false }
            seen += key.count + value.count
            guard seen - counted >= Self.stepBytes else { return true }
            metrics.comparedBytes.add(seen - counted)
            let pause = UInt64(seen - counted) * 1_000_000_000 / UInt64(bytesPerSecond)
            counted = seen
            next = max(next, SystemClock.monotonic()).advanced(by: .nanoseconds(Int64(clamping: pause)))
            inbox.drain(into: &newer, until: next)
            return newer.isEmpty && !failure.isSet
        }
        metrics.comparedBytes.add(seen - counted)
        queue = newer
        guard newer.isEmpty, !failure.isSet else { return }
        let report = sample.finish(by: node, applied: applied)
        deliver(report, sample.lastKeys)
    }
}
