import CRocksDB

/// How durable a write is when it returns; immutable, so that one object can serve all threads.
///
/// `@unchecked Sendable`: the C object is filled in by `init` and only read afterwards.
@safe public final class WriteOptions: @unchecked Sendable {
    /// In the WAL and synced: survives power loss.
    public static let synced = WriteOptions(sync: true, disableWAL: false)
    /// In the WAL, in the hands of the operating system: survives the process. A later synced write makes it durable.
    public static let unsynced = WriteOptions(sync: false, disableWAL: false)
    /// In the memtable alone: survives nothing before the column family is flushed.
    public static let withoutWAL = WriteOptions(sync: false, disableWAL: true)

    let pointer: OpaquePointer

    private init(sync: Bool, disableWAL: Bool) {
        unsafe pointer = rocksdb_writeoptions_create()
        unsafe rocksdb_writeoptions_set_sync(pointer, sync ? 1 : 0)
        unsafe rocksdb_writeoptions_disable_WAL(pointer, disableWAL ? 1 : 0)
    }

    deinit { unsafe rocksdb_writeoptions_destroy(pointer) }
}
