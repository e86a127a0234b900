import Raft

/// I3: two logs that hold an entry with the same index and term agree in it and in everything before it (Raft paper,
/// figure 3).
///
/// Proved entry by entry: for each (index, term) all nodes must append the same content after an entry of the same term.
struct LogMatching {
    private struct Seen {
        var stamp: EntryStamp
        var previous: Term
    }

    private var seen: [EntryID: Seen] = [:]

    mutating func append(_ entry: Entry, after previous: Term, on node: NodeID) throws(Violation) {
        let stamp = EntryStamp(entry)
        guard let known = seen[entry.id] else {
            seen[entry.id] = Seen(stamp: stamp, previous: previous)
            return
        }
        if known.stamp != stamp {
            throw Violation(.logMatching, "node \(node) holds another content in entry \(entry.id) than others")
        }
        if known.previous != previous {
            throw Violation(
                .logMatching,
                "node \(node) appends \(entry.id) after an entry of term \(previous), others after \(known.previous)")
        }
    }
}
