import Raft

/// I15: what is applied is intact and is what was committed.
enum Integrity {
    static func check(
        _ entry: Entry, of group: GroupID, on node: NodeID, committed: CommittedLog
    ) throws(Violation) {
        guard entry.isIntact(in: group) else {
            throw Violation(.integrity, "node \(node) applies entry \(entry.id), whose checksum is wrong")
        }
        guard let known = committed[entry.index] else {
            throw Violation(.stateMachineSafety, "node \(node) applies \(entry.id), which nobody has committed")
        }
        guard known.stamp == EntryStamp(entry) else {
            throw Violation(
                .stateMachineSafety,
                "node \(node) applies \(entry.id), but \(known.stamp.term)/\(entry.index) was committed")
        }
    }
}
