import CRocksDB

/// One moment of the whole database, for `ReadOptions`. Made in microseconds; as long as it exists, no column family
/// can shed what was deleted or overwritten since, not even when it flushes. Holds its database strongly.
///
/// `@unchecked Sendable`: RocksDB's snapshots are immutable and may be read through by all threads.
@safe public final class Snapshot: @unchecked Sendable {
    private let database: Database
    let pointer: OpaquePointer

    public init(_ database: Database) {
        self.database = database
        unsafe pointer = rocksdb_create_snapshot(database.handle)
        database.addDependent()
    }

    deinit {
        unsafe rocksdb_release_snapshot(database.releasingHandle, pointer)
        database.removeDependent()
    }
}
