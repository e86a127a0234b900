import ByteCoding
import RocksDB

/// Names and options of the database and its column families.
enum RocksLayout {
    static let raft = "raft"
    static let meta = "meta"
    private static let statePrefix = "state."
    /// Buffers of families that hold a handful of records.
    private static let smallWriteBufferBytes = 1 << 20
    /// About 1 % false positives: nine of ten reads of absent keys touch no block.
    private static let filterBitsPerKey = 10.0
    /// Write an SST file back in such steps, so that its final sync doesn't hold up the log's.
    private static let bytesPerSync: UInt64 = 1 << 20

    static func state(_ generation: UInt64) -> String { statePrefix + "\(generation)" }

    /// The generation of a state's family, nil for other families.
    static func generation(of name: String) -> UInt64? {
        name.hasPrefix(statePrefix) ? UInt64(name.dropFirst(statePrefix.count)) : nil
    }

    static func isKnown(_ name: String) -> Bool {
        [RocksDBDefault.name, raft, meta].contains(name) || generation(of: name) != nil
    }

    static func databaseOptions(_ configuration: StoreConfiguration, creating: Bool) -> DatabaseOptions {
        var options = DatabaseOptions()
        options.createIfMissing = creating
        options.createMissingColumnFamilies = creating
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
        return options
    }

    static func familyOptions(
        _ name: String, _ configuration: StoreConfiguration, _ cache: BlockCache
    ) -> ColumnFamilyOptions {
        var options = ColumnFamilyOptions()
        options.blockCache = cache
        options.cacheIndexAndFilterBlocks = true
        if name == raft {
            options.writeBufferBytes = configuration.logWriteBufferBytes
            options.maxWriteBuffers = Int32(clamping: configuration.logWriteBuffers)
        } else if generation(of: name) != nil {
            options.writeBufferBytes = configuration.stateWriteBufferBytes
            options.maxWriteBuffers = Int32(clamping: configuration.stateWriteBuffers)
            options.filter = .bloom(bitsPerKey: filterBitsPerKey)
            options.compression = .lz4
            options.firstCompressedLevel = 1
        } else {
            options.writeBufferBytes = smallWriteBufferBytes
        }
        return options
    }

    /// Writes the records durably as one, and flushes their families, so that those don't hold the WAL back.
    static func write(
        _ records: [(key: Bytes, value: Bytes, family: ColumnFamily)], to database: Database
    ) throws(StorageError) {
        try storage("write metadata") { () throws(RocksDBError) in
            var batch = WriteBatch()
            for record in records { batch.put(record.key, record.value, in: record.family) }
            try database.write(&batch, .synced)
            var flushed: Set<String> = []
            for record in records where flushed.insert(record.family.name).inserted {
                try database.flush(record.family)
            }
        }
    }
}

/// The column family that every RocksDB database has.
enum RocksDBDefault {
    static let name = "default"
}
