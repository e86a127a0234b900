import CRocksDB

/// An LRU cache of uncompressed blocks that column families, also of several databases, can share.
///
/// `@unchecked Sendable`: RocksDB's cache locks itself; the pointer never changes.
@safe public final class BlockCache: @unchecked Sendable {
    let pointer: OpaquePointer

    /// A cache of about so many bytes; blocks in use may exceed it.
    public init(capacityBytes: Int) { unsafe pointer = rocksdb_cache_create_lru(capacityBytes) }

    /// The databases that use the cache hold it by themselves: order doesn't matter here.
    deinit { unsafe rocksdb_cache_destroy(pointer) }

    public var capacityBytes: Int { unsafe rocksdb_cache_get_capacity(pointer) }
    public var usageBytes: Int { unsafe rocksdb_cache_get_usage(pointer) }
    /// Bytes of blocks that readers hold at this moment; they can't be evicted.
    public var pinnedBytes: Int { unsafe rocksdb_cache_get_pinned_usage(pointer) }
}
