import Logging
import Raft
import RaftStorage

/// The thread that reads all of this node's files at a gentle rate, so that damage is found while the other nodes are
/// whole. Damage ends the node: exit 65, with the file.
final class Scrub: Sendable {
    private enum Nudge: Sendable { case stop }

    private let inbox = Inbox<Nudge>()
    private let store: NodeStore
    private let group: GroupID
    private let bytesPerSecond: Int
    private let interval: Duration
    private let metrics: NodeMetrics
    private let failure: FailureLatch
    private let logger: Logger

    init(
        store: NodeStore, group: GroupID, bytesPerSecond: Int, interval: Duration, metrics: NodeMetrics,
        failure: FailureLatch, logger: Logger
    ) {
        self.store = store
        self.group = group
        self.bytesPerSecond = bytesPerSecond
        self.interval = interval
        self.metrics = metrics
        self.failure = failure
        self.logger = logger
    }

    func stop() { inbox.push(.stop) }

    /// The body of the thread; returns at once when scrubbing is off or there is no disk.
    func run() {
        guard bytesPerSecond > 0, let scrub = StoreScrub(store, group: group) else { return }
        var pace = ScrubPace(bytesPerSecond: bytesPerSecond, interval: interval, now: SystemClock.monotonic())
        var nudges: [Nudge] = []
        while true {
            inbox.drain(into: &nudges, until: pace.next)
            if !nudges.isEmpty || failure.isSet { return }
            guard SystemClock.monotonic() >= pace.next else { continue }
            do throws(StorageError) {
                if let bytes = try scrub.step() {
                    metrics.scrubbedBytes.add(bytes)
                    pace.didRead(bytes, at: SystemClock.monotonic())
                } else {
                    endPass()
                    pace.didEndPass(at: SystemClock.monotonic())
                }
            } catch {
                failure.fail(NodeFailure(storage: error))
                return
            }
        }
    }

    private func endPass() {
        metrics.scrubPasses.add()
        metrics.lastScrubSeconds.add(
            Int(SystemClock.wallMilliseconds() / 1000) - metrics.lastScrubSeconds.current)
        logger.info(
            "scrubbed: every file of the database is whole",
            metadata: ["scrub.bytes": "\(metrics.scrubbedBytes.current)"])
    }
}
