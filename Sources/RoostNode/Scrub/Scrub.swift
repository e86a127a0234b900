import Logging
import Raft
import RaftStorage

/// The thread that reads all that counts of this node's files at a gentle rate, so that damage is found while the other
/// nodes are whole. Damage of what the node lives on ends it: exit 65, with the file. Damage of what only its next start
/// needs is an alarm: the node still has in memory what stood there, and serves.
final class Scrub: Sendable {
    private enum Nudge: Sendable { case stop }

    private let inbox = Inbox<Nudge>()
    private let store: NodeStore
    private let group: GroupID
    private let bytesPerSecond: Int
    private let interval: Duration
    private let alarms: AlarmBoard
    private let metrics: NodeMetrics
    private let failure: FailureLatch
    private let logger: Logger

    init(
        store: NodeStore, group: GroupID, bytesPerSecond: Int, interval: Duration, alarms: AlarmBoard,
        metrics: NodeMetrics, failure: FailureLatch, logger: Logger
    ) {
        self.store = store
        self.group = group
        self.bytesPerSecond = bytesPerSecond
        self.interval = interval
        self.alarms = alarms
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
        var told: [StartHazard] = []
        while true {
            inbox.drain(into: &nudges, until: pace.next)
            if !nudges.isEmpty || failure.isSet { return }
            guard SystemClock.monotonic() >= pace.next else { continue }
            do throws(StorageError) {
                let bytes = try scrub.step()
                if scrub.hazards != told { tell(scrub.hazards, besides: told) }
                told = scrub.hazards
                if let bytes {
                    metrics.scrubbedBytes.add(bytes)
                    pace.didRead(bytes, at: SystemClock.monotonic())
                } else {
                    endPass(isAllWhole: told.isEmpty)
                    pace.didEndPass(at: SystemClock.monotonic())
                }
            } catch {
                failure.fail(NodeFailure(storage: error))
                return
            }
        }
    }

    private func tell(_ hazards: [StartHazard], besides told: [StartHazard]) {
        for hazard in hazards where !told.contains(hazard) { logger.error("a start would find damage: \(hazard)") }
        let sentences = hazards.map(\.description).joined(separator: "; ")
        alarms.set(.startFiles, hazards.isEmpty ? nil : "node \(store.identity.node): \(sentences)")
    }

    private func endPass(isAllWhole: Bool) {
        metrics.scrubPasses.add()
        metrics.lastScrubSeconds.add(
            Int(SystemClock.wallMilliseconds() / 1000) - metrics.lastScrubSeconds.current)
        logger.info(
            isAllWhole
                ? "scrubbed: tables, write-ahead log, log entries, and what a start reads are whole"
                : "scrubbed: tables, write-ahead log and log entries are whole; not so what a start reads",
            metadata: ["scrub.bytes": "\(metrics.scrubbedBytes.current)"])
    }
}
