@testable import Raft

/// What one explored node has durably.
struct ExploredDisk: Hashable {
    var hardState: HardState
    /// The last entry that was cut off.
    var base: EntryID
    /// Contiguous behind `base`.
    var entries: [Entry]
    var commit: LogIndex
    /// How far the state machine would be after a crash. It is written only when the log is cut, so that a crash loses
    /// as much of it as it ever can.
    var state: SnapshotMeta
    /// Whether the node may vote; a ban outlasts crashes until it is lifted.
    var mayVote: Bool

    init(_ restored: RestoredState) {
        precondition(restored.applied == restored.truncated.index, "an explored node starts with nothing applied")
        hardState = restored.hardState
        base = restored.truncated
        entries = restored.unapplied
        commit = restored.commit
        state = SnapshotMeta(id: restored.truncated, membership: restored.membership)
        mayVote = restored.mayVote
    }

    var lastIndex: LogIndex { LogIndex(base.index.rawValue + UInt64(entries.count)) }

    /// Whether `entry` is here, in the log or behind what was cut.
    func holds(_ entry: Entry) -> Bool { entry.index <= base.index || self[entry.index] == entry }

    subscript(index: LogIndex) -> Entry? {
        guard index > base.index, index <= lastIndex else { return nil }
        return entries[Int(index.rawValue - base.index.rawValue) - 1]
    }

    mutating func write(_ write: ExploredWrite) {
        switch write {
        case .batch(let batch): self.write(batch)
        case .install(let meta):
            base = meta.id
            entries = []
            commit = meta.index
            state = meta
        }
    }

    private mutating func write(_ batch: PersistBatch) {
        if let new = batch.hardState { hardState = new }
        if let from = batch.truncateFrom { entries.removeLast(Int(from.distance(to: lastIndex)) + 1) }
        precondition(batch.entries.first.map { $0.index == lastIndex.next } ?? true, "hole in the log")
        entries.append(contentsOf: batch.entries)
        commit = max(commit, batch.commit)
    }

    /// Cuts the log through `index`, for a state machine that has durably become `applied`.
    mutating func cut(through index: LogIndex, applied: SnapshotMeta) -> EntryID {
        let last = self[index]!.id
        entries.removeFirst(Int(index.rawValue - base.index.rawValue))
        base = last
        state = applied
        return last
    }

    func restored() -> RestoredState {
        var runs: [EntryID] = []
        for entry in entries where runs.last?.term != entry.term { runs.append(entry.id) }
        return RestoredState(
            hardState: hardState, membership: state.membership, truncated: base, termRuns: runs, lastIndex: lastIndex,
            commit: max(commit, state.index), applied: state.index,
            unapplied: entries.filter { $0.index > state.index },
            mayVote: mayVote)
    }
}

/// A write under way to the disk.
enum ExploredWrite: Hashable {
    case batch(PersistBatch)
    case install(SnapshotMeta)
}

extension LogIndex {
    fileprivate func distance(to later: LogIndex) -> UInt64 { later.distance(from: self) }
}
