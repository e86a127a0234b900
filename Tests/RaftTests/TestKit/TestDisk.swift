import ByteCoding
import Raft
import Testing

/// What a node has durably, in memory. Judges every batch by the contract of `PersistBatch`.
struct TestDisk {
    var hardState: HardState
    /// As of `truncated`.
    var membership: Membership
    var truncated: EntryID
    /// What was cut off, as far as it was ever here: what the state machine's files stand for.
    private(set) var archive: [Entry] = []
    /// Contiguous behind `truncated`.
    var entries: [Entry]
    var commit: LogIndex

    /// - Parameter appliedEntries: those between `restored.truncated` and `restored.applied`; no membership changes.
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

    /// Everything that was ever here up to `index`, cut off or not.
    func history(through index: LogIndex) -> [Entry] {
        archive + entries.prefix(Int(index.distance(from: truncated.index)))
    }

    /// The membership when everything up to `index` is applied.
    ///
    /// - Precondition: `truncated.index <= index <= lastIndex`.
    func membership(at index: LogIndex) -> Membership {
        membership.following(entries.prefix(Int(index.distance(from: truncated.index))))
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
        guard !batch.entries.isEmpty else { return }
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
        let count = Int(index.rawValue - truncated.index.rawValue)
        membership = membership(at: index)
        archive.append(contentsOf: entries.prefix(count))
        entries.removeFirst(count)
        truncated = last.id
        return last.id
    }

    /// Replaces log and state, in one step; the hard state stays.
    mutating func install(_ snapshot: TestSnapshot) {
        #expect(snapshot.meta.index >= commit, "snapshot \(snapshot.meta.id) would take back what is committed")
        truncated = snapshot.meta.id
        membership = snapshot.meta.membership
        archive = snapshot.applied
        entries = []
        commit = snapshot.meta.index
    }

    /// What a start finds when the state machine holds everything up to `applied`.
    func restored(applied: LogIndex) -> RestoredState {
        RestoredState(
            hardState: hardState, membership: membership(at: applied), truncated: truncated,
            termRuns: Self.termRuns(of: entries), lastIndex: lastIndex, commit: commit, applied: applied,
            unapplied: entries.filter { $0.index > applied })
    }

    static func termRuns(of entries: [Entry]) -> [EntryID] {
        var runs: [EntryID] = []
        for entry in entries where runs.last?.term != entry.term { runs.append(entry.id) }
        return runs
    }
}
