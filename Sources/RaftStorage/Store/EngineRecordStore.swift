import ByteCoding
import KeyValue
import Raft
import RocksDB

/// The records over one engine.
final class EngineRecordStore<Engine: StorageEngine>: RecordStore {
    let engine: Engine
    private let logStore: EngineLogStore<Engine>
    private let stateStore: EngineState<Engine>
    private let meta: Engine.Family
    let state: NodeState

    /// Wires up families that exist; see `open`.
    init(_ engine: Engine, raft: Engine.Family, meta: Engine.Family, state: Engine.Family, generation: UInt64) {
        self.engine = engine
        self.meta = meta
        logStore = EngineLogStore(engine: engine, family: raft)
        stateStore = EngineState(engine: engine, generation: generation, family: state)
        self.state = NodeState(stateStore)
    }

    var log: any LogStore { logStore }

    /// The family of the present generation. For a store in which none is ever installed: the gate is not asked.
    var stateFamily: Engine.Family { stateStore.gate.current.family }

    // MARK: Metadata

    func metadata(_ key: Bytes) throws(StorageError) -> Bytes? {
        try storage("read metadata") { () throws(EngineError) in try engine.value(of: key, in: meta) }
    }

    func allMetadata() throws(StorageError) -> [(key: Bytes, value: Bytes)] {
        var records: [(key: Bytes, value: Bytes)] = []
        try storage("read metadata") { () throws(EngineError) in
            try engine.scan(from: Bytes(), to: nil, in: meta, at: nil, isLong: false) { key, value in
                records.append((Bytes(copying: key), Bytes(copying: value)))
                return true
            }
        }
        return records
    }

    func setMetadata(_ key: Bytes, _ value: Bytes) throws(StorageError) {
        try storage("write metadata") { () throws(EngineError) in
            let batch = engine.makeBatch()
            batch.put(key, value, in: meta)
            try engine.writeRare(batch, to: [meta])
        }
    }

    // MARK: The state

    func persistedState(_ key: Bytes) throws(StorageError) -> Bytes? {
        do throws(StorageError) {
            return try storage("read the persisted state") { () throws(EngineError) in
                try stateStore.gate.withCurrent { (family) throws(EngineError) in
                    try engine.value(of: key, in: family, tier: .persisted)
                }
            }
        } catch { throw error.advising(.state) }
    }

    func flushState() throws(StorageError) {
        releaseRetired()
        try storage("flush the state") { () throws(EngineError) in
            try stateStore.gate.withCurrent { (family) throws(EngineError) in try engine.flush(family) }
        }
    }

    func scanState(
        of group: GroupID,
        _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) throws(StorageError) -> Void
    ) throws(StorageError) {
        var failure: StorageError?
        func take(_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool {
            do throws(StorageError) {
                try body(key, value)
                return true
            } catch {
                failure = error
                return false
            }
        }
        let (lower, upper) = StateKey.groupRange(group.rawValue)
        do throws(StorageError) {
            try storage("read the state of group \(group)") { () throws(EngineError) in
                try stateStore.gate.withCurrent { (family) throws(EngineError) in
                    try engine.scan(from: lower, to: upper, in: family, at: engine.moment(), isLong: true, take)
                }
            }
        } catch { throw error.advising(.state) }
        if let failure { throw failure }
    }

    func stateMoment() -> StateMoment {
        StateMoment(generation: stateStore.gate.current.number, moment: engine.moment())
    }

    func scanState(
        at moment: StateMoment, from lower: Bytes, to upper: Bytes,
        _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool
    ) throws(StorageError) -> Bool {
        guard let engineMoment = moment.moment as? Engine.Moment else {
            preconditionFailure("the moment is of another engine")
        }
        return try stateStore.gate.withCurrentGeneration { (family, number) throws(StorageError) in
            guard number == moment.generation else { return false }
            do throws(StorageError) {
                try storage("read the state") { () throws(EngineError) in
                    try engine.scan(from: lower, to: upper, in: family, at: engineMoment, isLong: true, body)
                }
            } catch { throw error.advising(.state) }
            return true
        }
    }

    func replaceState(
        of group: GroupID, at id: EntryID, truncated: EntryID,
        _ fill: (any FamilyLoader) throws(StorageError) -> Void
    ) throws(StorageError) {
        let old = stateStore.gate.current
        let number = old.number + 1
        let family = try storage("make \(FamilyName.state(number))") { () throws(EngineError) in
            try engine.create(.state(number))
        }
        try Failpoint.installAfterCreate.reachOrFail()
        let loader = try storage("load the snapshot") { () throws(EngineError) in
            try engine.makeLoader(into: family)
        }
        try fill(loader)
        try Failpoint.installBeforeIngest.reachOrFail()
        try storage("load the snapshot") { () throws(EngineError) in try loader.finish() }
        try Failpoint.installAfterIngest.reachOrFail()
        // Up to here a crash leaves the old state and a family that nobody knows; from here on, the new state.
        try storage("install the snapshot") { () throws(EngineError) in
            let batch = engine.makeBatch()
            batch.put(
                MetadataKey.generation, NumberRecord.encode(number, key: MetadataKey.generation), in: meta)
            logStore.reset(group, from: truncated, after: id, in: batch)
            try engine.writeRare(batch, to: [meta])
        }
        try Failpoint.installAfterPointer.reachOrFail()
        stateStore.gate.exchange(number: number, family: family)
        try storage("drop the old state") { () throws(EngineError) in try engine.drop(old.family) }
        Failpoint.installAfterDrop.reach()
        releaseRetired()
    }

    /// Readers of an old generation end by themselves; what they still held the last time may be free now.
    private func releaseRetired() {
        for family in stateStore.gate.takeDrained() { engine.release(family) }
    }

    // MARK: Room on the disk

    var unflushedLogBytes: UInt64 { engine.family(.raft).map { engine.unflushedBytes(of: $0) } ?? 0 }

    func flushLog() throws(StorageError) {
        guard let raft = engine.family(.raft) else { return }
        try storage("flush the log") { () throws(EngineError) in try engine.flush(raft) }
    }

    func compactState() { stateStore.gate.withCurrent { engine.compact($0) } }

    func compactLog() { if let raft = engine.family(.raft) { engine.compact(raft) } }

    func cancelCompaction() throws(StorageError) {
        try storage("end a compaction") { () throws(EngineError) in try engine.cancelCompactions() }
    }

    func allowCompaction() { engine.allowCompactions() }

    func setCompactsByItself(_ isOn: Bool) throws(StorageError) {
        try storage("set automatic compactions") { () throws(EngineError) in try engine.setCompactsByItself(isOn) }
    }

    // MARK: The engine

    var backgroundErrors: UInt64 { engine.backgroundErrors }

    func checkEngine() throws(StorageError) {
        // An engine that has stopped answers every write with the reason; one without content writes nothing.
        try storage("work in the background") { () throws(EngineError) in
            try engine.write(engine.makeBatch(), .volatile)
        }
    }

    func locate(_ error: StorageError) -> StorageError {
        guard error.kind == .corruption, error.damaged == nil, let rocks = engine as? RocksEngine,
            let name = DamageLocator.tableName(in: error.message),
            let file = rocks.database.liveFiles.first(where: { $0.name == name })
        else { return error }
        return error.advising(inFamily: file.columnFamily)
    }

    func statistics() -> StoreStatistics { stateStore.gate.withCurrent { engine.statistics(state: $0) } }

    func report() -> String? { stateStore.gate.withCurrent { engine.report(state: $0) } }

    func close() throws(StorageError) {
        releaseRetired()
        try storage("close the database") { () throws(EngineError) in try engine.close() }
    }

    func abandon() { engine.abandon() }
}

extension StorageEngine {
    /// Writes durably to families that are seldom written, and flushes them: one that is never full would hold every
    /// file of a write-ahead log back.
    func writeRare(_ batch: Batch, to families: [Family]) throws(EngineError) {
        try write(batch, .synced)
        Failpoint.rareBeforeFlush.reach()
        for family in families { try flush(family) }
    }
}
