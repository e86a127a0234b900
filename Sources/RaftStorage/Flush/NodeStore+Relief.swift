package import Raft
import Synchronization

/// What gives room on the disk back, for a node that runs out of it.
extension NodeStore {
    /// Removes the group's finished snapshot, if there is one. Whoever is being sent it gets it to the end.
    package func dropFinishedSnapshots(of group: GroupID) throws(StorageError) {
        try shelf.removeOwn(group, before: LogIndex(.max))
    }

    /// Writes what is left of the log in memory to a table file, so that the files of the write-ahead log before it go.
    /// Cheap right after the log was cut: what is cut off is not written. Takes as much room as what is left.
    ///
    /// Any thread that may wait for a disk.
    package func flushLog() throws(StorageError) {
        try failStop { () throws(StorageError) in try records.flushLog() }
    }

    /// The same where it is worth it, to be called after each cut: once the log's memtable is half full. By then nearly
    /// all that it holds is cut off, and so never written; what a restart has to read back is kept short, and memory
    /// with it. A memtable that fills up by itself does so at any moment, and writes what is about to be cut.
    ///
    /// - Returns: whether it was.
    @discardableResult
    package func tidyLog() throws(StorageError) -> Bool {
        guard records.unflushedLogBytes >= UInt64(configuration.logWriteBufferBytes / 2) else { return false }
        try flushLog()
        return true
    }

    /// Rewrites the state without what was overwritten and deleted: takes as long as reading and writing all of it, and
    /// needs room for what is left of it, or for a part, meanwhile. Everything else goes on.
    ///
    /// Any thread that may wait for long; ends early, with nothing lost, after `cancelCompaction`.
    package func compactState() { records.compactState() }

    /// Rewrites the log's table files without what was cut.
    package func compactLog() { records.compactLog() }

    /// Ends one of these that is under way, and waits for that; none begins before `allowCompaction`. The room that it had
    /// taken is there again.
    package func cancelCompaction() throws(StorageError) {
        try failStop { () throws(StorageError) in try records.cancelCompaction() }
    }

    package func allowCompaction() { records.allowCompaction() }

    /// Whether the engine compacts by itself, which takes room at a moment that nobody chooses.
    package func setCompactsByItself(_ isOn: Bool) throws(StorageError) {
        try failStop { () throws(StorageError) in
            try upkeep.withLock { (_) throws(StorageError) in try records.setCompactsByItself(isOn) }
        }
    }
}
