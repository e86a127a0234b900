import ByteCoding
import KeyValue
import RocksDB
import Synchronization

/// One RocksDB database, whose column families are the engine's:
///
/// | family        | holds                                                         | written            |
/// | ------------- | ------------------------------------------------------------- | ------------------ |
/// | `default`     | the format record                                             | once               |
/// | `raft`        | entries, hard state, truncation marker, commit hint           | WAL, synced        |
/// | `meta`        | owner, state generation, suspect flag, peers' incarnations     | WAL, synced, flushed |
/// | `state.<gen>` | the state and its applied record                              | without WAL        |
///
/// The state is the only family without WAL, so its memtables reach the disk in order and its applied record is always
/// true of its data; no flush across families is needed. `meta` is flushed after each write because a family that is
/// rarely flushed would hold every WAL file back.
final class RocksEngine: StorageEngine {
    /// Closed by `close`, or by the last reference.
    let database: Database
    private let configuration: StoreConfiguration
    private let compactsByItself: Atomic<Bool>
    private let cache: BlockCache
    /// Where table files are made before they are ingested.
    private let loadingDirectory: String

    /// Wires up an open database; see `open`.
    init(database: Database, configuration: StoreConfiguration, cache: BlockCache, loadingDirectory: String) {
        self.database = database
        self.configuration = configuration
        compactsByItself = Atomic(configuration.compactsByItself)
        self.cache = cache
        self.loadingDirectory = loadingDirectory
    }

    // MARK: Families

    var familyNames: [FamilyName] { database.columnFamilyNames.compactMap { FamilyName($0) }.sorted() }

    func family(_ name: FamilyName) -> ColumnFamily? { database.columnFamily(name.description) }

    func create(_ name: FamilyName) throws(EngineError) -> ColumnFamily {
        var configuration = configuration
        configuration.compactsByItself = compactsByItself.load(ordering: .relaxed)
        return try rocks { () throws(RocksDBError) in
            try database.createColumnFamily(
                name.description, options: RocksLayout.familyOptions(name, configuration, cache))
        }
    }

    func drop(_ family: ColumnFamily) throws(EngineError) {
        try rocks { () throws(RocksDBError) in try database.drop(family, keepingHandle: true) }
    }

    func release(_ family: ColumnFamily) { database.release(family) }

    // MARK: Reading

    func read<R>(
        _ key: UnsafeRawBufferPointer, in family: ColumnFamily, at moment: RocksMoment?, tier: EngineTier,
        _ body: (UnsafeRawBufferPointer?) -> R
    ) throws(EngineError) -> R {
        let moment = moment ?? .now
        let options =
            switch tier {
            case .memory: moment.inMemory
            case .all: moment.everything
            case .persisted: RocksMoment.persisted
            }
        return try rocks { () throws(RocksDBError) in
            try database.get(RawSpan(_unsafeBytes: key), in: family, options) { value in
                guard let value else { return body(nil) }
                return value.withUnsafeBytes { body($0) }
            }
        }
    }

    /// `read` of the present without a result.
    func withValue(
        of key: UnsafeRawBufferPointer, in family: ColumnFamily, tier: ReadTier,
        _ body: (UnsafeRawBufferPointer?) -> Void
    ) throws(EngineError) {
        let options =
            switch tier {
            case .memory: RocksMoment.now.inMemory
            case .all: RocksMoment.now.everything
            }
        try rocks { () throws(RocksDBError) in
            try database.withValue(of: RawSpan(_unsafeBytes: key), in: family, options) { value in
                guard let value else { return body(nil) }
                value.withUnsafeBytes { body($0) }
            }
        }
    }

    func scan(
        from lower: Bytes, to upper: Bytes?, in family: ColumnFamily, at moment: RocksMoment?, isLong: Bool,
        _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool
    ) throws(EngineError) {
        let moment = moment ?? .now
        let options = isLong ? moment.scanningFar : moment.scanning
        func take(_ key: RawSpan, _ value: RawSpan) -> Bool {
            key.withUnsafeBytes { key in value.withUnsafeBytes { value in body(key, value) } }
        }
        try rocks { () throws(RocksDBError) in
            try lower.withSpan { (lower) throws(RocksDBError) in
                guard let upper else { return try database.scan(from: lower, to: nil, in: family, options, take) }
                try upper.withSpan { (upper) throws(RocksDBError) in
                    try database.scan(from: lower, to: upper, in: family, options, take)
                }
            }
        }
    }

    func moment() -> RocksMoment { RocksMoment(Snapshot(database)) }

    // MARK: Writing

    func makeBatch() -> RocksBatch { RocksBatch() }

    func write(_ batch: RocksBatch, _ durability: Durability) throws(EngineError) {
        let options: WriteOptions =
            switch durability {
            case .synced: .synced
            case .ordered: .unsynced
            case .volatile: .withoutWAL
            }
        try rocks { () throws(RocksDBError) in try database.write(&batch.changes, options) }
        batch.changes.clear()
    }

    var backgroundErrors: UInt64 { database.integerProperty("rocksdb.background-errors") ?? 0 }

    func unflushedBytes(of family: ColumnFamily) -> UInt64 {
        database.integerProperty("rocksdb.cur-size-active-mem-table", of: family) ?? 0
    }

    func flush(_ family: ColumnFamily) throws(EngineError) {
        try rocks { () throws(RocksDBError) in try database.flush(family) }
    }

    func makeLoader(into family: ColumnFamily) throws(EngineError) -> any FamilyLoader {
        RocksLoader(
            database, into: family, options: RocksLayout.familyOptions(FamilyName(family.name)!, configuration, cache),
            directory: loadingDirectory)
    }

    func compact(_ family: ColumnFamily) { database.compact(family) }

    func cancelCompactions() throws(EngineError) {
        try rocks { () throws(RocksDBError) in try database.cancelCompactions() }
    }
    func allowCompactions() { database.allowCompactions() }

    func setCompactsByItself(_ isOn: Bool) throws(EngineError) {
        compactsByItself.store(isOn, ordering: .relaxed)
        for name in familyNames {
            guard let family = family(name) else { continue }
            try rocks { () throws(RocksDBError) in try database.setAutomaticCompactions(isOn, in: family) }
        }
    }

    // MARK: The engine itself

    func statistics(state: ColumnFamily) -> StoreStatistics {
        func number(_ property: String, _ family: ColumnFamily? = nil) -> UInt64 {
            database.integerProperty("rocksdb." + property, of: family) ?? 0
        }
        let families = [family(.raft), family(.meta), state].compactMap { $0 }
        let present = FileSystem.totalBytes(of: ".sst", in: database.path)
        return StoreStatistics(
            walBytes: FileSystem.totalBytes(of: ".log", in: database.path),
            stateMemtableBytes: number("cur-size-all-mem-tables", state),
            logMemtableBytes: number("cur-size-all-mem-tables", family(.raft)),
            stateTableBytes: number("total-sst-files-size", state),
            liveStateBytes: number("estimate-live-data-size", state),
            logTableBytes: number("total-sst-files-size", family(.raft)),
            unfinishedTableBytes: present
                - min(present, families.reduce(0) { $0 + number("total-sst-files-size", $1) }),
            pendingCompactionBytes: families.reduce(0) { $0 + number("estimate-pending-compaction-bytes", $1) },
            stateImmutableMemtables: number("num-immutable-mem-table", state),
            logImmutableMemtables: number("num-immutable-mem-table", family(.raft)),
            backgroundErrors: backgroundErrors,
            isWriteStopped: number("is-write-stopped") != 0,
            delayedWriteRate: number("actual-delayed-write-rate"),
            blockCacheBytes: UInt64(cache.usageBytes),
            estimatedStateKeys: number("estimate-num-keys", state))
    }

    func report(state: ColumnFamily) -> String? {
        let texts = [database.property("rocksdb.stats", of: state), database.statistics]
        return texts.compactMap { $0 }.joined(separator: "\n")
    }

    func close() throws(EngineError) { try rocks { () throws(RocksDBError) in try database.close() } }

    func abandon() { database.abandon() }
}

extension EngineError {
    init(_ error: RocksDBError) {
        let kind: Kind =
            switch error.kind {
            case .incomplete: .wouldBlock
            case .corruption: .corruption
            case .noSpace: .noSpace
            case .tooManyFiles: .tooManyFiles
            case .io where error.message.contains("Permission denied"): .permission
            case .io, .lockHeld: .io
            case .busy, .other: .other
            }
        self.init(kind, error.message)
    }
}

/// Runs `body` with RocksDB's errors as the engine's.
func rocks<R: ~Copyable>(_ body: () throws(RocksDBError) -> R) throws(EngineError) -> R {
    do { return try body() } catch { throw EngineError(error) }
}
