import Raft

/// I2: a leader never removes or overwrites entries of its own log (Raft paper, figure 3).
enum LeaderAppendOnly {
    static func check(_ batch: PersistBatch, of node: NodeLedger, leading: Term?) throws(Violation) {
        guard let leading, leading == node.leading, let from = batch.truncateFrom else { return }
        throw Violation(.leaderAppendOnly, "node \(node.id), leader of term \(leading), removes from \(from) on")
    }
}
