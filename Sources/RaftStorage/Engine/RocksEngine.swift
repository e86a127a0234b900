import ByteCoding
import KeyValue
import RocksDB

/// One RocksDB database with four kinds of column families:
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
    let log: any LogStore
    let state: NodeState
    /// Closed by `close`, or by the last reference.
    let database: Database
    private let cache: BlockCache
    private let raftFamily: ColumnFamily
    private let metaFamily: ColumnFamily
    private let stateFamily: ColumnFamily
    private let persisted = ReadOptions(tier: .persisted)

    /// Wires up an open database; see `open`.
    init(database: Database, cache: BlockCache, generation: UInt64) throws(StorageError) {
        func family(_ name: String) throws(StorageError) -> ColumnFamily {
            guard let family = database.columnFamily(name) else {
                throw StorageError(.corruption, "column family \(name) is missing from \(database.path)")
            }
            return family
        }
        self.database = database
        self.cache = cache
        raftFamily = try family(RocksLayout.raft)
        metaFamily = try family(RocksLayout.meta)
        stateFamily = try family(RocksLayout.state(generation))
        log = RocksLogStore(database: database, family: raftFamily)
        state = .rocksdb(.init(store: RocksStateStore(database: database, family: stateFamily)))
    }

    func metadata(_ key: Bytes) throws(StorageError) -> Bytes? {
        try storage("read metadata") { () throws(RocksDBError) in try database.get(key, in: metaFamily) }
    }

    func allMetadata() throws(StorageError) -> [(key: Bytes, value: Bytes)] {
        var records: [(key: Bytes, value: Bytes)] = []
        try storage("read metadata") { () throws(RocksDBError) in
            try database.scan(from: RawSpan(), to: nil, in: metaFamily) { key, value in
                records.append((Bytes(copying: key), Bytes(copying: value)))
                return true
            }
        }
        return records
    }

    func setMetadata(_ key: Bytes, _ value: Bytes) throws(StorageError) {
        try RocksLayout.write([(key, value, metaFamily)], to: database)
    }

    func persistedState(_ key: Bytes) throws(StorageError) -> Bytes? {
        try storage("read the persisted state") { () throws(RocksDBError) in
            try database.get(key, in: stateFamily, persisted)
        }
    }

    func flushState() throws(StorageError) {
        try storage("flush the state") { () throws(RocksDBError) in try database.flush(stateFamily) }
    }

    func statistics() -> StoreStatistics {
        func number(_ property: String, _ family: ColumnFamily? = nil) -> UInt64 {
            database.integerProperty("rocksdb." + property, of: family) ?? 0
        }
        let families = [raftFamily, metaFamily, stateFamily]
        return StoreStatistics(
            walBytes: FileSystem.totalBytes(of: ".log", in: database.path),
            stateMemtableBytes: number("cur-size-all-mem-tables", stateFamily),
            logMemtableBytes: number("cur-size-all-mem-tables", raftFamily),
            stateTableBytes: number("total-sst-files-size", stateFamily),
            logTableBytes: number("total-sst-files-size", raftFamily),
            pendingCompactionBytes: families.reduce(0) { $0 + number("estimate-pending-compaction-bytes", $1) },
            stateImmutableMemtables: number("num-immutable-mem-table", stateFamily),
            logImmutableMemtables: number("num-immutable-mem-table", raftFamily),
            backgroundErrors: number("background-errors"),
            isWriteStopped: number("is-write-stopped") != 0,
            delayedWriteRate: number("actual-delayed-write-rate"),
            blockCacheBytes: UInt64(cache.usageBytes),
            estimatedStateKeys: number("estimate-num-keys", stateFamily))
    }

    func report() -> String? {
        let texts = [database.property("rocksdb.stats", of: stateFamily), database.statistics]
        return texts.compactMap { $0 }.joined(separator: "\n")
    }

    func close() throws(StorageError) {
        try storage("close the database") { () throws(RocksDBError) in try database.close() }
    }

    func abandon() { database.abandon() }
}
