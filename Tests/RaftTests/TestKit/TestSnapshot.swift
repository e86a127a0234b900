import Raft

/// A snapshot of the test state machine, which is simply everything that it has applied.
struct TestSnapshot: Hashable {
    var meta: SnapshotMeta
    /// What it stands for, up to and including `meta.id`.
    var applied: [Entry]
}

/// A snapshot between two shells.
struct SnapshotUnderWay: Hashable {
    var from: NodeID
    var to: NodeID
    /// The sender's term when it began.
    var term: Term
    var snapshot: TestSnapshot
}

extension Membership {
    /// The membership after these entries, as every shell has to compute it: a change that does not fit is without
    /// effect.
    func following(_ entries: some Sequence<Entry>) -> Membership {
        var result = self
        for entry in entries where entry.kind == .membership {
            guard let change = try? MembershipChange(decoding: entry.payload) else { continue }
            if let next = try? result.applying(change) { result = next }
        }
        return result
    }
}
