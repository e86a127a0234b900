import CRocksDB

/// How to read; immutable, so that one object can serve all threads. Keep it: making one allocates.
///
/// `@unchecked Sendable`: the C object is filled in by `init` and only read afterwards.
@safe public final class ReadOptions: @unchecked Sendable {
    /// Where the answer may come from (`rocksdb::ReadTier`).
    public enum Tier: Int32, Sendable {
        /// Anywhere.
        case all = 0
        /// Memtables and block cache alone: throws `.incomplete` rather than wait for the disk. Refused unless
        /// `DatabaseOptions.maxOpenFiles` is -1: for a key whose table file isn't open RocksDB would give an empty
        /// value.
        case memory = 1
        /// What a crash right now would leave of a column family that is written without WAL: once any write without
        /// WAL has happened, memtables are skipped, those of every column family. Point reads only.
        case persisted = 2
    }

    /// Everything, the latest, filling the cache.
    public static let standard = ReadOptions()

    public let tier: Tier
    /// The moment to read; nil = now.
    public let snapshot: Snapshot?
    /// Keep the blocks that were read in the cache. False for scans that won't come back.
    public let fillCache: Bool
    /// Iterators: read ahead so many bytes; 0 = RocksDB's growing default, 8 to 256 KiB.
    public let readaheadBytes: Int
    /// Show also what a range deletion hides, as far as it is still there: for reading every block of every file.
    public let ignoreRangeDeletions: Bool

    let pointer: OpaquePointer

    public init(
        tier: Tier = .all, snapshot: Snapshot? = nil, fillCache: Bool = true, readaheadBytes: Int = 0,
        ignoreRangeDeletions: Bool = false
    ) {
        self.tier = tier
        self.snapshot = snapshot
        self.fillCache = fillCache
        self.readaheadBytes = readaheadBytes
        self.ignoreRangeDeletions = ignoreRangeDeletions
        unsafe pointer = rocksdb_readoptions_create()
        unsafe rocksdb_readoptions_set_read_tier(pointer, tier.rawValue)
        unsafe rocksdb_readoptions_set_fill_cache(pointer, fillCache ? 1 : 0)
        if readaheadBytes > 0 { unsafe rocksdb_readoptions_set_readahead_size(pointer, readaheadBytes) }
        if ignoreRangeDeletions { unsafe rocksdb_readoptions_set_ignore_range_deletions(pointer, 1) }
        if let snapshot { unsafe rocksdb_readoptions_set_snapshot(pointer, snapshot.pointer) }
    }

    deinit { unsafe rocksdb_readoptions_destroy(pointer) }

    /// Options of the same content for one iterator, which adds its bounds.
    func copy() -> ReadOptions {
        ReadOptions(
            tier: tier, snapshot: snapshot, fillCache: fillCache, readaheadBytes: readaheadBytes,
            ignoreRangeDeletions: ignoreRangeDeletions)
    }
}
