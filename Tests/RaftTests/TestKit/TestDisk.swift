import ByteCoding
import Raft
import Testing

/// What a node has durably, in memory. Judges every batch by the contract of `PersistBatch`.
struct TestDisk {
    var hardState: HardState
    var membership: Membership
    var truncated: EntryID
    /// Contiguous behind `truncated`.
    var entries: [Entry]
    var commit: LogIndex

    init(_ restored: RestoredState, appliedEntries: [Entry] = []) {
        hardState = restored.hardState
        membership = restored.membership
        truncated = restored.truncated
        entries = appliedEntries + restored.unapplied
        commit = restored.commit
    }

    var lastIndex: LogIndex { LogIndex(truncated.index.rawValue + UInt64(entries.count)) }

    func entry(at index: LogIndex) -> Entry? {
        guard index > truncated.index, index <= lastIndex else { return nil }
        return entries[Int(index.rawValue - truncated.index.rawValue) - 1]
    }

    mutating func write(_ batch: PersistBatch) {
        if let new = batch.hardState {
            #expect(new.term >= hardState.term)
            if new.term == hardState.term, hardState.vote != nil { #expect(new.vote == hardState.vote) }
            hardState = new
        }
        if let from = batch.truncateFrom {
            #expect(from > commit && from > truncated.index && from <= lastIndex, "truncation from \(from)")
            entries.removeLast(Int(lastIndex.rawValue - from.rawValue) + 1)
        }
        if let first = batch.entries.first { #expect(first.index == lastIndex.next, "hole in the log") }
        for entry in batch.entries {
            #expect(entry.term >= (entries.last?.term ?? truncated.term))
            entries.append(entry)
        }
        #expect(batch.commit >= commit && batch.commit <= lastIndex)
        commit = max(commit, batch.commit)
    }

    func read(_ request: FetchRequest) -> [Entry] {
        var found: [Entry] = []
        var bytes = 0
        var index = request.from
        while index <= request.through, let entry = entry(at: index) {
            bytes += entry.payload.count
            if !found.isEmpty, bytes > request.maxBytes { break }
            found.append(entry)
            index = index.next
        }
        return found
    }

    mutating func cut(through index: LogIndex) -> EntryID {
        let last = entry(at: index)!
        entries.removeFirst(Int(index.rawValue - truncated.index.rawValue))
        truncated = last.id
        return last.id
    }

    /// What a start finds when the state machine holds everything up to `applied`.
    func restored(applied: LogIndex) -> RestoredState {
        RestoredState(
            hardState: hardState, membership: membership, truncated: truncated,
            termRuns: Self.termRuns(of: entries), lastIndex: lastIndex, commit: commit, applied: applied,
            unapplied: entries.filter { $0.index > applied })
    }

    static func termRuns(of entries: [Entry]) -> [EntryID] {
        var runs: [EntryID] = []
        for entry in entries where runs.last?.term != entry.term { runs.append(entry.id) }
        return runs
    }
}
