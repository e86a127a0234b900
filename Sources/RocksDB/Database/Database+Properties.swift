import CRocksDB

extension Database {
    /// A property that is a number, e.g. `rocksdb.num-immutable-mem-table`, of one family or of the database; nil if
    /// RocksDB has none of that name (rocksdb/db.h, `DB::Properties`).
    public func integerProperty(_ name: String, of family: ColumnFamily? = nil) -> UInt64? {
        var value: UInt64 = 0
        let status =
            if let family {
                unsafe rocksdb_property_int_cf(handle, family.handle, name, &value)
            } else {
                unsafe rocksdb_property_int(handle, name, &value)
            }
        return status == 0 ? value : nil
    }

    /// A property as text, e.g. `rocksdb.stats`; nil if RocksDB has none of that name.
    public func property(_ name: String, of family: ColumnFamily? = nil) -> String? {
        let text =
            if let family {
                unsafe rocksdb_property_value_cf(handle, family.handle, name)
            } else {
                unsafe rocksdb_property_value(handle, name)
            }
        guard let text = unsafe text else { return nil }
        defer { unsafe rocksdb_free(text) }
        return unsafe String(cString: text)
    }

    /// Tickers and histograms as RocksDB prints them, nil unless `DatabaseOptions.statistics` is set.
    public var statistics: String? {
        guard let text = unsafe rocksdb_options_statistics_get_string(options.pointer) else { return nil }
        defer { unsafe rocksdb_free(text) }
        return unsafe String(cString: text)
    }

    /// About how much memory the database uses, and `cache` if given.
    public func memoryUsage(cache: BlockCache? = nil) throws(RocksDBError) -> MemoryUsage {
        let consumers = unsafe rocksdb_memory_consumers_create()
        defer { unsafe rocksdb_memory_consumers_destroy(consumers) }
        unsafe rocksdb_memory_consumers_add_db(consumers, handle)
        if let cache { unsafe rocksdb_memory_consumers_add_cache(consumers, cache.pointer) }
        let usage = try unsafe checked { unsafe rocksdb_approximate_memory_usage_create(consumers, $0) }
        defer { unsafe rocksdb_approximate_memory_usage_destroy(usage) }
        return unsafe MemoryUsage(
            memtableBytes: rocksdb_approximate_memory_usage_get_mem_table_total(usage),
            unflushedMemtableBytes: rocksdb_approximate_memory_usage_get_mem_table_unflushed(usage),
            tableReaderBytes: rocksdb_approximate_memory_usage_get_mem_table_readers_total(usage),
            cacheBytes: rocksdb_approximate_memory_usage_get_cache_total(usage))
    }
}

/// What `Database.memoryUsage` found, in bytes.
public struct MemoryUsage: Hashable, Sendable {
    /// All memtables, also flushed ones that iterators still hold.
    public let memtableBytes: UInt64
    /// Memtables that are not flushed yet.
    public let unflushedMemtableBytes: UInt64
    /// Index and filter blocks outside of the cache.
    public let tableReaderBytes: UInt64
    /// The cache that was asked about; 0 without one.
    public let cacheBytes: UInt64
}
