import Raft

/// I12: a snapshot at an index holds what applying everything up to there gives, and the sender's log goes on behind it.
/// (The bytes of the state are `ReplicaEquality`'s.)
enum SnapshotFidelity {
    /// - Parameter membership: what held at the snapshot's index; `nil`: unknown.
    static func check(
        _ meta: SnapshotMeta, on node: NodeLedger, committed: CommittedLog, membership: Membership?
    ) throws(Violation) {
        guard let known = committed[meta.index] else {
            throw Violation(.snapshotFidelity, "node \(node.id) has a snapshot at \(meta.id), which nobody committed")
        }
        guard known.stamp.term == meta.id.term else {
            throw Violation(
                .snapshotFidelity,
                "node \(node.id) has a snapshot at \(meta.id), but \(known.stamp.term)/\(meta.index) was committed")
        }
        if let membership, membership != meta.membership {
            throw Violation(
                .snapshotFidelity,
                "node \(node.id)'s snapshot at \(meta.id) says \(meta.membership); by then it was \(membership)")
        }
    }

    /// What a leader offers must meet its log.
    static func checkOffer(_ meta: SnapshotMeta, by node: NodeLedger) throws(Violation) {
        guard meta.index < node.given.base.index else { return }
        throw Violation(
            .snapshotFidelity,
            "node \(node.id) offers a snapshot at \(meta.id), but its log begins only after \(node.given.base)")
    }
}
