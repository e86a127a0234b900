import ByteCoding
import Raft
import RocksDB
import Synchronization

/// Logs in the column family `raft`: see `RaftKey` and the records for the layout.
final class RocksLogStore: LogStore {
    private let database: Database
    private let family: ColumnFamily
    /// Reused for its memory. Only the log writer's thread writes, so nobody ever waits for the lock.
    private let batch = Mutex(WriteBatch())
    /// Reading the log back is rare and sequential: it must not evict the state's blocks.
    private let scanOptions = ReadOptions(fillCache: false, readaheadBytes: 2 << 20)

    init(database: Database, family: ColumnFamily) {
        self.database = database
        self.family = family
    }

    func write(_ writes: [LogWrite]) throws(StorageError) {
        try batch.withLock { (batch) throws(StorageError) in
            batch.clear()
            for write in writes { add(write, to: &batch) }
            if batch.count == 0 { return }
            try storage("write the log") { () throws(RocksDBError) in try database.write(&batch, .synced) }
        }
    }

    func head(of group: GroupID) throws(StorageError) -> LogHead {
        var head = LogHead()
        if let value = try value(of: RaftKey.hardState(group)) {
            head.hardState = try HardStateRecord.decode(value, group: group)
        }
        if let value = try value(of: RaftKey.truncation(group)) {
            head.truncated = try TruncationRecord.decode(value, group: group)
        }
        if let value = try value(of: RaftKey.commit(group)) {
            head.commit = try CommitRecord.decode(value, group: group)
        }
        return head
    }

    /// The scan starts at the first index wanted, never before it: the tombstones of what was cut off lie there.
    func scan(
        _ group: GroupID, _ indexes: ClosedRange<LogIndex>, _ body: (Entry) throws(StorageError) -> Bool
    ) throws(StorageError) {
        let lower = RaftKey.entry(group, indexes.lowerBound)
        let upper = Bytes(RaftKey.entry(group, indexes.upperBound).array + [0])
        var failure: StorageError?
        func take(_ key: RawSpan, _ value: RawSpan) -> Bool {
            let index = LogIndex(UInt64(bigEndian: key.unsafeLoadUnaligned(fromByteOffset: 9, as: UInt64.self)))
            do throws(StorageError) {
                return try body(try EntryRecord.decode(Bytes(copying: value), group: group, index: index))
            } catch {
                failure = error
                return false
            }
        }
        try storage("read the log of group \(group)") { () throws(RocksDBError) in
            try lower.withSpan { (lower) throws(RocksDBError) in
                try upper.withSpan { (upper) throws(RocksDBError) in
                    try database.scan(from: lower, to: upper, in: family, scanOptions, take)
                }
            }
        }
        if let failure { throw failure }
    }

    func truncate(_ group: GroupID, from old: EntryID, through new: EntryID) throws(StorageError) {
        var batch = WriteBatch()
        batch.deleteEntries(of: group, old.index.next..<new.index.next, in: family)
        batch.put(RaftKey.truncation(group), TruncationRecord.encode(new, group: group), in: family)
        try storage("cut the log of group \(group)") { () throws(RocksDBError) in
            try database.write(&batch, .unsynced)
        }
    }

    private func add(_ write: LogWrite, to batch: inout WriteBatch) {
        let group = write.batch.group
        // What comes later in a batch wins: the removal has to stand before the entries that replace what it removes.
        if let removed = write.removed { batch.deleteEntries(of: group, removed, in: family) }
        for entry in write.batch.entries { batch.put(entry, of: group, in: family) }
        if let state = write.batch.hardState {
            batch.put(RaftKey.hardState(group), HardStateRecord.encode(state, group: group), in: family)
        }
        if let commit = write.commit {
            batch.put(RaftKey.commit(group), CommitRecord.encode(commit, group: group), in: family)
        }
    }

    private func value(of key: Bytes) throws(StorageError) -> Bytes? {
        try storage("read the log's head") { () throws(RocksDBError) in try database.get(key, in: family) }
    }
}

extension WriteBatch {
    fileprivate mutating func deleteEntries(of group: GroupID, _ indexes: Range<LogIndex>, in family: ColumnFamily) {
        RaftKey.entry(group, indexes.lowerBound).withSpan { lower in
            RaftKey.entry(group, indexes.upperBound).withSpan { upper in
                deleteRange(from: lower, to: upper, in: family)
            }
        }
    }

    fileprivate mutating func put(_ entry: Entry, of group: GroupID, in family: ColumnFamily) {
        RaftKey.entry(group, entry.index).withSpan { key in
            EntryRecord.head(entry).withSpan { head in
                entry.payload.withSpan { payload in
                    withUnsafeBytes(of: entry.checksum.littleEndian) { checksum in
                        put(key, head: head, body: payload, tail: RawSpan(_unsafeBytes: checksum), in: family)
                    }
                }
            }
        }
    }
}
