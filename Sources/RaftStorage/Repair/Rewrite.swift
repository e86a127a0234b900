import ByteCoding
import Raft
import RocksDB

/// The writes of a `Repair`: each form ends with one synced batch that also makes the node suspect.
struct Rewrite {
    let engine: RocksEngine
    let group: GroupID
    let head: LogHead
    /// The last entry that stays; `head.truncated.index` or less: none does.
    let last: LogIndex
    let suspicion: UInt64

    /// Removes the entries behind `last`, or all of them.
    ///
    /// - Parameter old: the marker before.
    func trimLog(from old: EntryID) throws(StorageError) {
        let (raft, meta) = try (family(.raft), family(.meta))
        let batch = engine.makeBatch()
        let first = head.truncated == old ? last.next : LogIndex(0)
        batch.deleteRange(
            from: RaftKey.entry(group, first), to: RaftKey.entry(group, LogIndex(.max)), in: raft)
        put(into: batch, raft, meta)
        try write(batch, [raft, meta])
    }

    /// Exchanges the log's family for an empty one: its tables may be what is damaged.
    func replaceLog() throws(StorageError) {
        let raft = try renewLog()
        let meta = try family(.meta)
        let batch = engine.makeBatch()
        put(into: batch, raft, meta)
        try write(batch, [raft, meta])
    }

    /// The same, with a new and empty state behind it.
    func replaceLogAndState(generation: UInt64) throws(StorageError) {
        let (raft, meta) = try (renewLog(), family(.meta))
        let next = generation + 1
        if let leftOver = engine.family(.state(next)) { try drop(leftOver, .state(next)) }
        _ = try storage("make the state's family") { () throws(EngineError) in try engine.create(.state(next)) }
        let batch = engine.makeBatch()
        batch.put(MetadataKey.generation, NumberRecord.encode(next, key: MetadataKey.generation), in: meta)
        put(into: batch, raft, meta)
        try write(batch, [raft, meta])
        try drop(family(.state(generation)), .state(generation))
    }

    private func renewLog() throws(StorageError) -> ColumnFamily {
        try drop(family(.raft), .raft)
        return try storage("make the log's family") { () throws(EngineError) in try engine.create(.raft) }
    }

    private func drop(_ family: ColumnFamily, _ name: FamilyName) throws(StorageError) {
        try storage("drop \(name)") { () throws(EngineError) in try engine.drop(family) }
        engine.release(family)
    }

    private func family(_ name: FamilyName) throws(StorageError) -> ColumnFamily {
        guard let family = engine.family(name) else {
            throw StorageError(.corruption, "the family \(name) of the database is missing")
        }
        return family
    }

    private func put(into batch: RocksBatch, _ raft: ColumnFamily, _ meta: ColumnFamily) {
        batch.put(RaftKey.hardState(group), HardStateRecord.encode(head.hardState, group: group), in: raft)
        batch.put(RaftKey.truncation(group), TruncationRecord.encode(head.truncated, group: group), in: raft)
        batch.put(RaftKey.commit(group), CommitRecord.encode(head.commit, group: group), in: raft)
        batch.put(MetadataKey.suspect, Suspicion.record(suspicion), in: meta)
    }

    private func write(_ batch: RocksBatch, _ families: [ColumnFamily]) throws(StorageError) {
        try storage("write the repaired log") { () throws(EngineError) in try engine.writeRare(batch, to: families) }
    }
}
