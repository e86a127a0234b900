import Raft

/// Where the logs of all groups are kept. It knows bytes and durability; what makes sense is checked by `NodeStore`.
protocol LogStore: Sendable {
    /// Carries the writes out in order as one unit, durable on return.
    func write(_ writes: [LogWrite]) throws(StorageError)

    /// Everything of a group but its entries.
    func head(of group: GroupID) throws(StorageError) -> LogHead

    /// Gives `body` the entries that exist within `indexes`, ascending, each one checked by itself (form, checksum,
    /// place), until it returns false. All are of one moment.
    func scan(
        _ group: GroupID, _ indexes: ClosedRange<LogIndex>, _ body: (Entry) throws(StorageError) -> Bool
    ) throws(StorageError)

    /// Removes the entries after `old` up to and including `new`, and notes `new`, as one unit. Durable no later than
    /// the next `write`, and never without what was written before: a crash leaves both or neither.
    func truncate(_ group: GroupID, from old: EntryID, through new: EntryID) throws(StorageError)
}

/// One group's part of a write, in the order in which it takes effect.
struct LogWrite {
    var batch: PersistBatch
    /// Entries to remove first, because they conflict with the leader's.
    var removed: Range<LogIndex>?
    /// The commit index, if it is news.
    var commit: LogIndex?
}

/// What stands beside the entries of a group; a group without records has the values of a new one.
struct LogHead: Hashable {
    var hardState = HardState()
    /// The last entry that was cut off.
    var truncated = EntryID.zero
    /// The commit index last written.
    var commit = LogIndex.zero
}
