import Logging
import Raft
import RaftStorage
import RedisServer

/// Snapshots: sent to those whose entries are cut off the log, installed when this node is one of them.
extension Consensus {
    /// Sends what is applied here; a transfer that is under way since an earlier leadership goes on.
    func ship(to node: NodeID) {
        guard shipping.insert(node).inserted else { return }
        let status = core.status
        parts.logger.notice(
            "a follower is too far behind for the log: sending it a snapshot", metadata: ["peer.id": "\(node)"])
        parts.snapshots.send(
            to: node, term: status.term, notBefore: status.firstIndex.previous, through: parts.transport)
    }

    /// The core hears of a failure after a pause; until then the transfer counts as under way.
    func shipped(to node: NodeID, _ report: SnapshotReport, at now: MonotonicTime) {
        if report == .failed { return snapshotRetries.failed(node, at: now) }
        snapshotRetries.succeeded(node)
        endShipping(to: node, report, at: now)
    }

    func retrySnapshots(at now: MonotonicTime) {
        for node in snapshotRetries.takeDue(at: now) { endShipping(to: node, .failed, at: now) }
    }

    private func endShipping(to node: NodeID, _ report: SnapshotReport, at now: MonotonicTime) {
        shipping.remove(node)
        core.step(.snapshotReported(to: node, report), at: now)
    }

    /// After everything that is queued for the applier, then for the log.
    func install(_ meta: SnapshotMeta) {
        parts.logger.notice(
            "installing a snapshot", metadata: ["raft.index": "\(meta.index)", "raft.term": "\(meta.id.term)"])
        let logWriter = parts.logWriter
        parts.applier.push(.barrier { logWriter.push(.install(meta)) })
    }

    func installed(_ meta: SnapshotMeta, _ directory: ClusterDirectory, at now: MonotonicTime) {
        parts.logger.notice("snapshot installed", metadata: ["raft.index": "\(meta.index)"])
        truncated = meta.index
        core.step(.snapshotInstalled(meta), at: now)
        // It may have come a second time.
        parts.snapshots.discard(meta)
        adopt(ClusterPosition(membership: meta.membership, directory: directory), at: meta.index)
        // What the snapshot skipped is never seen in this node's apply stream.
        var results = ResultGroups()
        for sequence in outbox.snapshotInstalled(term: meta.id.term) {
            parts.metrics.inDoubt.add()
            guard let entry = parts.submissions.take(sequence) else { continue }
            results.add(WriteResult(ticket: entry.ticket, outcomes: .failure(.inDoubt)), for: entry.sink)
        }
        results.deliver()
    }
}
