import ByteCoding
import Raft
import Synchronization

/// Logs in the family `raft` of any engine: see `RaftKey` and the records for the layout.
final class EngineLogStore<Engine: StorageEngine>: LogStore {
    private let engine: Engine
    private let family: Engine.Family
    /// Reused for its memory. Only the log writer's thread writes, so nobody ever waits for the lock.
    private let batch: Mutex<Engine.Batch>

    init(engine: Engine, family: Engine.Family) {
        self.engine = engine
        self.family = family
        batch = Mutex(engine.makeBatch())
    }

    func write(_ writes: [LogWrite]) throws(StorageError) {
        try batch.withLock { (batch) throws(StorageError) in
            for write in writes { add(write, to: batch) }
            if batch.isEmpty { return }
            try storage("write the log") { () throws(EngineError) in try engine.write(batch, .synced) }
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
        func take(_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool {
            do throws(StorageError) {
                let index = try RaftKey.index(ofEntry: key, group: group)
                return try body(try EntryRecord.decode(Bytes(copying: value), group: group, index: index))
            } catch {
                failure = error
                return false
            }
        }
        do throws(StorageError) {
            try storage("read the log of group \(group)") { () throws(EngineError) in
                try engine.scan(from: lower, to: upper, in: family, at: nil, isLong: true, take)
            }
        } catch { throw error.advising(.log) }
        // One entry is not what was written: those before it are, and what `body` says is its own.
        if let failure { throw failure.advising(.writeAheadLog) }
    }

    func truncate(_ group: GroupID, from old: EntryID, through new: EntryID) throws(StorageError) {
        let batch = engine.makeBatch()
        batch.deleteEntries(of: group, old.index.next..<new.index.next, in: family)
        batch.put(RaftKey.truncation(group), TruncationRecord.encode(new, group: group), in: family)
        try storage("cut the log of group \(group)") { () throws(EngineError) in try engine.write(batch, .ordered) }
    }

    /// Adds to `batch` what makes the log empty behind `id`, all of it committed: a snapshot stands for what was there.
    func reset(_ group: GroupID, from old: EntryID, after id: EntryID, in batch: Engine.Batch) {
        batch.deleteEntries(of: group, old.index.next..<LogIndex(.max), in: family)
        batch.put(RaftKey.truncation(group), TruncationRecord.encode(id, group: group), in: family)
        batch.put(RaftKey.commit(group), CommitRecord.encode(id.index, group: group), in: family)
    }

    private func add(_ write: LogWrite, to batch: Engine.Batch) {
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
        do throws(StorageError) {
            return try storage("read the log's head") { () throws(EngineError) in
                try engine.value(of: key, in: family)
            }
        } catch { throw error.advising(.log) }
    }
}

extension EngineBatch {
    fileprivate func deleteEntries(of group: GroupID, _ indexes: Range<LogIndex>, in family: Family) {
        deleteRange(
            from: RaftKey.entry(group, indexes.lowerBound), to: RaftKey.entry(group, indexes.upperBound), in: family)
    }

    fileprivate func put(_ entry: Entry, of group: GroupID, in family: Family) {
        RaftKey.entry(group, entry.index).withUnsafeBytes { key in
            EntryRecord.head(entry).withUnsafeBytes { head in
                entry.payload.withUnsafeBytes { payload in
                    withUnsafeBytes(of: entry.checksum.littleEndian) { checksum in
                        put(key, head: head, body: payload, tail: checksum, in: family)
                    }
                }
            }
        }
    }
}
