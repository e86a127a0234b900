import Raft

/// I11: a read index is not below what was committed anywhere when the read was asked for (Raft thesis, section 6.4).
struct ReadFreshness {
    private var asked: [ReadToken: LogIndex] = [:]
    /// Some client was told of an entry at or behind this index.
    private var acknowledged = LogIndex.zero

    mutating func asked(_ token: ReadToken, committed: LogIndex) { asked[token] = committed }

    mutating func answered(_ token: ReadToken, index: LogIndex?, on node: NodeID) throws(Violation) {
        guard let floor = asked.removeValue(forKey: token) else {
            throw Violation(.readFreshness, "node \(node) answers a read that nobody waits for")
        }
        if let index, index < floor {
            throw Violation(
                .readFreshness, "node \(node) is given read index \(index), but \(floor) was committed before it asked")
        }
    }

    mutating func acknowledged(_ index: LogIndex) { acknowledged = max(acknowledged, index) }

    /// A node answers from its state at once, without a read index (`RaftCore.readsAreLocal`).
    func answeredLocally(at applied: LogIndex, on node: NodeID) throws(Violation) {
        guard applied < acknowledged else { return }
        throw Violation(
            .readFreshness,
            "node \(node) answers from its state at \(applied), but a client was told of \(acknowledged) before")
    }
}
