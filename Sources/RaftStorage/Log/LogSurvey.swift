import Raft

/// Walks a group's log once at start, checks that it is one, and keeps what the core needs to know of all of it.
struct LogSurvey: Hashable {
    /// The last entry so far; the truncation marker at first.
    private(set) var last: EntryID
    /// (first index of a term's run, term), ascending.
    private(set) var termRuns: [EntryID] = []
    private(set) var count = 0

    init(after truncated: EntryID) { last = truncated }

    /// - Throws: `.corruption` at a gap, or when a term is smaller than the one before it (Raft paper, section 5.3:
    ///   terms in a log never decrease).
    mutating func add(_ id: EntryID, of group: GroupID) throws(StorageError) {
        guard id.index == last.index.next else {
            throw StorageError(.corruption, "the log of group \(group) has a gap between \(last.index) and \(id.index)")
        }
        guard id.term >= last.term else {
            throw StorageError(
                .corruption, "log entry \(id.index) of group \(group) has term \(id.term) after \(last.term)")
        }
        if id.term > last.term || termRuns.isEmpty { termRuns.append(id) }
        last = id
        count += 1
    }

    /// The term of an entry that is in the log, or of the truncation marker given.
    func term(at index: LogIndex, truncated: EntryID) -> Term? {
        if index == truncated.index { return truncated.term }
        guard index <= last.index else { return nil }
        return termRuns.last { $0.index <= index }?.term
    }
}
