import Raft
import Synchronization

/// Logs that live as long as the process.
final class MemoryLogStore: LogStore {
    private struct Log {
        var head = LogHead()
        /// Contiguous, the first after `head.truncated`.
        var entries: [Entry] = []

        /// Where the entry of that index stands, or would stand.
        func position(of index: LogIndex) -> Int {
            min(Int(clamping: index.distance(from: head.truncated.index.next)), entries.count)
        }
    }

    private let logs = Mutex<[GroupID: Log]>([:])

    func write(_ writes: [LogWrite]) throws(StorageError) {
        logs.withLock { logs in
            for write in writes {
                Self.apply(write, to: &logs[write.batch.group, default: Log()])
            }
        }
    }

    func head(of group: GroupID) throws(StorageError) -> LogHead { logs.withLock { $0[group]?.head } ?? LogHead() }

    func scan(
        _ group: GroupID, _ indexes: ClosedRange<LogIndex>, _ body: (Entry) throws(StorageError) -> Bool
    ) throws(StorageError) {
        let found = logs.withLock { logs in
            guard let log = logs[group] else { return ArraySlice<Entry>() }
            return log.entries[log.position(of: indexes.lowerBound)..<log.position(of: indexes.upperBound.next)]
        }
        for entry in found { guard try body(entry) else { return } }
    }

    func truncate(_ group: GroupID, from old: EntryID, through new: EntryID) throws(StorageError) {
        logs.withLock { logs in
            guard var log = logs.removeValue(forKey: group) else { return }
            log.entries.removeFirst(log.position(of: new.index.next))
            log.head.truncated = new
            logs[group] = log
        }
    }

    private static func apply(_ write: LogWrite, to log: inout Log) {
        if let removed = write.removed { log.entries.removeSubrange(log.position(of: removed.lowerBound)...) }
        log.entries += write.batch.entries
        if let state = write.batch.hardState { log.head.hardState = state }
        if let commit = write.commit { log.head.commit = commit }
    }
}
