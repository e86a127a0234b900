import CRocksDB

/// How one column family keeps its data. The defaults are RocksDB 7.8's unless said otherwise.
public struct ColumnFamilyOptions: Sendable {
    public enum Compression: Int32, Sendable {
        case none = 0
        case snappy = 1
        case lz4 = 4
        case zstd = 7
    }

    /// What every block of a table file carries (`rocksdb::ChecksumType`). Tables made with another one stay readable.
    public enum Checksum: Int8, Sendable {
        case none = 0
        case crc32c = 1
        case xxh3 = 4
    }

    /// Answers "certainly not in this file" from memory.
    public enum Filter: Sendable {
        case none
        /// About 1 % false positives at 10 bits a key.
        case bloom(bitsPerKey: Double)
        /// The accuracy of a Bloom filter of so many bits at 30 % less memory and 3-4 times the CPU when it is built.
        case ribbon(bloomEquivalentBitsPerKey: Double)
    }

    /// A memtable is flushed when it has grown to this many bytes. Default 64 MiB.
    public var writeBufferBytes = 64 << 20
    /// Memtables, the active one included; when all are full, writes stop until one is flushed. Default 2.
    public var maxWriteBuffers: Int32 = 2
    /// Default `.none` (RocksDB's own is Snappy).
    public var compression = Compression.none
    /// Levels from this one on are compressed; young levels are rewritten soon and not worth it. Default 0: all.
    public var firstCompressedLevel = 0
    /// For the last level, where most of the data is; nil = as `compression`. Default nil.
    public var bottommostCompression: Compression?
    /// Size levels from the last one up, which bounds space amplification to about 1.1. Default true (RocksDB's own,
    /// until version 8.4, is false).
    public var dynamicLevelBytes = true
    /// Target size of a file of level 1. Default 64 MiB.
    public var targetFileBytes: UInt64 = 64 << 20
    /// Size of level 1. Default 256 MiB.
    public var levelBaseBytes: UInt64 = 256 << 20
    /// Default `.none`.
    public var filter = Filter.none
    /// Uncompressed bytes in a block: the unit of reading, caching and checksums. Default 4 KiB.
    public var blockBytes = 4 << 10
    /// Where blocks are cached; nil = a cache of 8 MiB of its own.
    public var blockCache: BlockCache?
    /// Charge index and filter blocks to the cache, so that its size bounds memory; those of level 0 stay pinned.
    /// Default false.
    public var cacheIndexAndFilterBlocks = false
    /// Default `.xxh3`.
    public var checksum = Checksum.xxh3
    /// Layout of table files written from now on (`format_version`); all that this RocksDB knows can be read. Default 5.
    public var tableVersion: Int32 = 5
    /// Compact only when told to. Default false.
    public var disableAutomaticCompactions = false
    /// Settings that the C API has no function for, as `name=value;name=value`; an unknown name refuses to open.
    public var extra = ""

    public init() {}

    func makeHandle() throws(RocksDBError) -> OptionsHandle {
        let handle = OptionsHandle()
        let options = unsafe handle.pointer
        unsafe rocksdb_options_set_write_buffer_size(options, writeBufferBytes)
        unsafe rocksdb_options_set_max_write_buffer_number(options, maxWriteBuffers)
        unsafe rocksdb_options_set_level_compaction_dynamic_level_bytes(options, dynamicLevelBytes ? 1 : 0)
        unsafe rocksdb_options_set_target_file_size_base(options, targetFileBytes)
        unsafe rocksdb_options_set_max_bytes_for_level_base(options, levelBaseBytes)
        unsafe rocksdb_options_set_disable_auto_compactions(options, disableAutomaticCompactions ? 1 : 0)
        setCompression(of: handle)
        setTable(of: handle)
        return try extra.isEmpty ? handle : handle.applying(extra)
    }

    private func setCompression(of handle: OptionsHandle) {
        let levels: [Int32] = (0..<7).map { level in
            level < firstCompressedLevel ? Compression.none.rawValue : compression.rawValue
        }
        unsafe rocksdb_options_set_compression(handle.pointer, compression.rawValue)
        unsafe levels.withUnsafeBufferPointer { buffer in
            unsafe rocksdb_options_set_compression_per_level(handle.pointer, buffer.baseAddress, buffer.count)
        }
        if let bottommostCompression {
            unsafe rocksdb_options_set_bottommost_compression(handle.pointer, bottommostCompression.rawValue)
        }
    }

    private func setTable(of handle: OptionsHandle) {
        let table = unsafe rocksdb_block_based_options_create()
        defer { unsafe rocksdb_block_based_options_destroy(table) }
        unsafe rocksdb_block_based_options_set_block_size(table, blockBytes)
        unsafe rocksdb_block_based_options_set_checksum(table, checksum.rawValue)
        unsafe rocksdb_block_based_options_set_format_version(table, tableVersion)
        if let blockCache { unsafe rocksdb_block_based_options_set_block_cache(table, blockCache.pointer) }
        if cacheIndexAndFilterBlocks {
            unsafe rocksdb_block_based_options_set_cache_index_and_filter_blocks(table, 1)
            unsafe rocksdb_block_based_options_set_pin_l0_filter_and_index_blocks_in_cache(table, 1)
        }
        // The table's options take ownership of the policy.
        switch filter {
        case .none: break
        case .bloom(let bits):
            unsafe rocksdb_block_based_options_set_filter_policy(table, rocksdb_filterpolicy_create_bloom_full(bits))
        case .ribbon(let bits):
            unsafe rocksdb_block_based_options_set_filter_policy(table, rocksdb_filterpolicy_create_ribbon(bits))
        }
        unsafe rocksdb_options_set_block_based_table_factory(handle.pointer, table)
    }
}
