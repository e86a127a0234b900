import RocksDB

/// Options of the database and its column families.
enum RocksLayout {
    /// Buffers of families that hold a handful of records.
    private static let smallWriteBufferBytes = 1 << 20
    /// About 1 % false positives: nine of ten reads of absent keys touch no block.
    private static let filterBitsPerKey = 10.0
    /// Write an SST file back in such steps, so that its final sync doesn't hold up the log's.
    private static let bytesPerSync: UInt64 = 1 << 20
    /// RocksDB's `format_version` of table files, whatever a later RocksDB has for its default: `TableFile` reads them.
    static let tableVersion: Int32 = 5

    /// The state is flushed often, so that a restart has little to apply again: its files of level 0 are a quarter of what
    /// RocksDB expects there. Compacting three times as many at once writes about as much as with RocksDB's own numbers;
    /// a read looks at three times as many filters, which are kept in memory.
    private static let firstLevelFiles = 12
    /// More slow writes down, and still more stop them.
    private static let (slowingFiles, stoppingFiles) = (36, 48)

    /// One compaction of the state rewrites about so much at a time, and needs as much free space meanwhile.
    static let maxCompactionBytes = 512 << 20

    static func databaseOptions(_ configuration: StoreConfiguration, creating: Bool) -> DatabaseOptions {
        var options = DatabaseOptions()
        options.createIfMissing = creating
        // A torn last record was never acknowledged; anything else that doesn't fit is damage, and must not be skipped.
        options.walRecovery = .tolerateCorruptedTailRecords
        options.trackAndVerifyWALs = true
        options.maxTotalWALBytes = UInt64(configuration.maxTotalWalBytes)
        options.maxBackgroundJobs = Int32(clamping: configuration.backgroundJobs)
        options.bytesPerSync = bytesPerSync
        options.maxOpenFiles = -1
        // Applying (without WAL) goes on while the log (with WAL) is synced.
        options.enablePipelinedWrite = true
        options.statistics = true
        // A start writes next to nothing, so that it works on a full disk; what it found in the write-ahead log was synced
        // before (`RocksEngine.open`). And what is reserved for the write-ahead log
        // in advance would look like taken to whoever watches the free space, and be taken on a small disk.
        options.extra = "avoid_flush_during_recovery=true;allow_fallocate=false"
        // After a failed flush RocksDB would begin anew by itself once there is room: nobody knows what a failed write or
        // sync has left on the disk, so only a new process may (`Maintenance` ends this one).
        options.extra += ";max_bgerror_resume_count=0"
        return options
    }

    static func familyOptions(
        _ name: FamilyName, _ configuration: StoreConfiguration, _ cache: BlockCache
    ) -> ColumnFamilyOptions {
        var options = ColumnFamilyOptions()
        options.blockCache = cache
        // Indexes and filters stay with the open files, some 2.5 bytes a key. In the cache, one of them is as large as a shard
        // of it: with ten million keys nearly every read would load one anew.
        options.cacheIndexAndFilterBlocks = false
        // The one that `TableFile` checks without RocksDB. The cost is about that of RocksDB's own default.
        options.checksum = .crc32c
        options.tableVersion = tableVersion
        if !configuration.compactsByItself { options.extra = "disable_auto_compactions=true;" }
        switch name {
        case .raft:
            options.writeBufferBytes = configuration.logWriteBufferBytes
            options.maxWriteBuffers = Int32(clamping: configuration.logWriteBuffers)
        case .state:
            options.writeBufferBytes = configuration.stateWriteBufferBytes
            options.maxWriteBuffers = Int32(clamping: configuration.stateWriteBuffers)
            options.filter = .bloom(bitsPerKey: filterBitsPerKey)
            options.compression = .lz4
            options.firstCompressedLevel = 1
            options.extra += "max_compaction_bytes=\(maxCompactionBytes)"
            options.extra += ";level0_file_num_compaction_trigger=\(firstLevelFiles)"
            options.extra += ";level0_slowdown_writes_trigger=\(slowingFiles)"
            options.extra += ";level0_stop_writes_trigger=\(stoppingFiles)"
        case .root, .meta:
            options.writeBufferBytes = smallWriteBufferBytes
        }
        return options
    }
}
