import Raft

/// What `NodeStore` knows of a group's log without reading it, and the rules that every change must keep.
struct LogBounds: Hashable {
    /// The last entry that was cut off.
    var truncated: EntryID
    /// The last entry's index; `truncated.index` when the log is empty.
    var last: LogIndex
    /// The commit index last written.
    var commit: LogIndex

    /// Takes a batch in and says what has to be written for it.
    ///
    /// - Throws: `.invariant` when the batch would leave a gap, remove what is committed or cut off, or claim as
    ///   committed what the log doesn't hold.
    mutating func append(_ batch: PersistBatch) throws(StorageError) -> LogWrite {
        var write = LogWrite(batch: batch)
        if let from = batch.truncateFrom {
            guard from > truncated.index, from > commit else {
                throw violation(batch, "entries from \(from) on can't be removed")
            }
            if from <= last {
                write.removed = from..<last.next
                last = from.previous
            }
        }
        for entry in batch.entries {
            guard entry.index == last.next else { throw violation(batch, "entry \(entry.index) can't follow \(last)") }
            last = entry.index
        }
        if batch.commit > commit {
            guard batch.commit <= last else { throw violation(batch, "commit index \(batch.commit) is beyond \(last)") }
            commit = batch.commit
            write.commit = commit
        }
        return write
    }

    private func violation(_ batch: PersistBatch, _ what: String) -> StorageError {
        StorageError(
            .invariant,
            "group \(batch.group), ticket \(batch.ticket.rawValue): \(what) "
                + "(cut off \(truncated.index), last \(last), committed \(commit))")
    }
}
