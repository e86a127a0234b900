import Raft

/// What distinguishes an entry from every other at its index.
struct EntryStamp: Hashable {
    var term: Term
    var kind: Entry.Kind
    /// Covers the payload.
    var checksum: UInt32

    init(_ entry: Entry) {
        term = entry.term
        kind = entry.kind
        checksum = entry.checksum
    }
}

/// A node's log as it can be told from what its core gave out, kept apart from all code under test.
struct ShadowLog {
    /// The last entry that was cut off.
    private(set) var base = EntryID.zero
    private var stamps: [EntryStamp] = []

    var lastIndex: LogIndex { LogIndex(base.index.rawValue + UInt64(stamps.count)) }

    init() {}

    init(base: EntryID, stamps: [EntryStamp]) {
        self.base = base
        self.stamps = stamps
    }

    /// `nil` when the entry is cut off or not there.
    subscript(index: LogIndex) -> EntryStamp? {
        guard index > base.index, index <= lastIndex else { return nil }
        return stamps[Int(index.rawValue - base.index.rawValue) - 1]
    }

    /// `nil` below the base and beyond the end.
    func term(at index: LogIndex) -> Term? { index == base.index ? base.term : self[index]?.term }

    /// Whether the entry is there, or was cut off.
    func covers(_ index: LogIndex, _ term: Term) -> Bool { index < base.index || self.term(at: index) == term }

    mutating func append(_ stamp: EntryStamp) { stamps.append(stamp) }

    mutating func removeAll(from index: LogIndex) {
        guard index <= lastIndex, index > base.index else { return }
        stamps.removeLast(Int(lastIndex.rawValue - index.rawValue) + 1)
    }

    /// Cuts everything up to and including `id` off; a log that ends earlier becomes empty.
    mutating func compact(through id: EntryID) {
        guard id.index > base.index else { return }
        stamps.removeFirst(min(stamps.count, Int(id.index.rawValue - base.index.rawValue)))
        base = id
    }

    /// Empty, after a snapshot.
    mutating func reset(to id: EntryID) {
        stamps = []
        base = id
    }

    mutating func take(_ batch: PersistBatch) {
        if let from = batch.truncateFrom { removeAll(from: from) }
        for entry in batch.entries { append(EntryStamp(entry)) }
    }
}
