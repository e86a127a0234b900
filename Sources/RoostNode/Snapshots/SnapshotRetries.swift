import Raft

/// When a snapshot that failed is tried again: after a pause that doubles, so that a disk without room, or a receiver that
/// refuses, is not asked twenty times a second. The core, which would ask at once, hears of the failure only then.
///
/// Pure: no clock.
struct SnapshotRetries {
    static let shortestPause = Duration.milliseconds(100)
    static let longestPause = Duration.seconds(10)

    private struct Entry {
        let node: NodeID
        var pause: Duration
        /// Nil while it is being tried.
        var due: MonotonicTime?
    }

    /// Few; in the order of their first failure.
    private var entries: [Entry] = []

    /// When `takeDue` has something.
    var nextDue: MonotonicTime { entries.compactMap(\.due).min() ?? .never }

    mutating func failed(_ node: NodeID, at now: MonotonicTime) {
        if let position = entries.firstIndex(where: { $0.node == node }) {
            entries[position].pause = min(entries[position].pause * 2, Self.longestPause)
            entries[position].due = now.advanced(by: entries[position].pause)
        } else {
            entries.append(
                Entry(node: node, pause: Self.shortestPause, due: now.advanced(by: Self.shortestPause)))
        }
    }

    /// The next failure is a first one again.
    mutating func succeeded(_ node: NodeID) { entries.removeAll { $0.node == node } }

    /// Those whose pause is over.
    mutating func takeDue(at now: MonotonicTime) -> [NodeID] {
        var due: [NodeID] = []
        for position in entries.indices where entries[position].due.map({ $0 <= now }) ?? false {
            entries[position].due = nil
            due.append(entries[position].node)
        }
        return due
    }
}
