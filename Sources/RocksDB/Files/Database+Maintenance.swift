import CRocksDB

extension Database {
    /// Writes the family's memtables to disk and waits for it: everything that was written before the call is durable
    /// then, with or without WAL.
    public func flush(_ family: ColumnFamily) throws(RocksDBError) {
        let options = unsafe rocksdb_flushoptions_create()
        defer { unsafe rocksdb_flushoptions_destroy(options) }
        unsafe rocksdb_flushoptions_set_wait(options, 1)
        try unsafe checked { unsafe rocksdb_flush_cf(handle, options, family.handle, $0) }
    }

    /// Rewrites the whole family into its last level, beside RocksDB's own compactions. Blocks for as long as that takes,
    /// or until `cancelCompactions()`.
    public func compact(_ family: ColumnFamily) {
        let options = unsafe rocksdb_compactoptions_create()
        defer { unsafe rocksdb_compactoptions_destroy(options) }
        unsafe rocksdb_compactoptions_set_exclusive_manual_compaction(options, 0)
        unsafe rocksdb_compact_range_cf_opt(handle, family.handle, options, nil, 0, nil, 0)
    }

    /// Ends every `compact(_:)` that is under way, and waits for that; later ones do nothing, until `allowCompactions()`.
    ///
    /// What they had written is deleted. RocksDB would leave it there for hours: after a failure it looks for files that belong
    /// to nothing, but not after an end on demand (`DBImpl::BackgroundCallCompaction`).
    public func cancelCompactions() throws(RocksDBError) {
        unsafe rocksdb_disable_manual_compaction(handle)
        try disableFileDeletions()
        // Whoever else forbids deletions goes on doing so: the next one to allow them deletes these, too.
        try unsafe checked { unsafe rocksdb_enable_file_deletions(handle, 0, $0) }
    }

    /// Undoes one `cancelCompactions()`.
    public func allowCompactions() { unsafe rocksdb_enable_manual_compaction(handle) }

    /// Whether RocksDB compacts the family by itself; see `ColumnFamilyOptions.compactsAutomatically`. What is under way
    /// goes on.
    public func setAutomaticCompactions(_ isOn: Bool, in family: ColumnFamily) throws(RocksDBError) {
        try unsafe withCStrings(["disable_auto_compactions"]) { (names) throws(RocksDBError) in
            try unsafe withCStrings([isOn ? "false" : "true"]) { (values) throws(RocksDBError) in
                try unsafe checked { unsafe rocksdb_set_options_cf(handle, family.handle, 1, names, values, $0) }
            }
        }
    }

    /// Drops the files that lie wholly within `lower ..< upper`, without tombstones. Keys of that range may remain in
    /// memtables and in files at its rim, older versions among them: only for ranges that are deleted and never read.
    public func deleteFiles(from lower: RawSpan, to upper: RawSpan, in family: ColumnFamily) throws(RocksDBError) {
        try unsafe lower.withCharacters { (lower, lowerCount) throws(RocksDBError) in
            try unsafe upper.withCharacters { (upper, upperCount) throws(RocksDBError) in
                try unsafe checked {
                    unsafe rocksdb_delete_file_in_range_cf(
                        handle, family.handle, lower, lowerCount, upper, upperCount, $0)
                }
            }
        }
    }

    /// From now on no file of the database is deleted, until `enableFileDeletions()`: for copying them while the
    /// database is in use. Copy MANIFEST and CURRENT before all others; files that it doesn't name yet do no harm then.
    public func disableFileDeletions() throws(RocksDBError) {
        try unsafe checked { unsafe rocksdb_disable_file_deletions(handle, $0) }
    }

    /// Undoes all calls of `disableFileDeletions()`, and deletes what is obsolete by now.
    public func enableFileDeletions() throws(RocksDBError) {
        try unsafe checked { unsafe rocksdb_enable_file_deletions(handle, 1, $0) }
    }

    /// When a checkpoint first flushes the memtables of all column families.
    public enum CheckpointFlush: UInt64, Sendable {
        case always = 0
        /// The checkpoint then lacks what was written without WAL since the last flush.
        case never = 0xFFFF_FFFF_FFFF_FFFF
    }

    /// Makes a database of its own at `path` from hard links (copies, across file systems): cheap whatever the size.
    ///
    /// `path` must not exist, its parent must. It is built as `path.tmp` and renamed: after a crash it is whole or
    /// absent.
    public func makeCheckpoint(at path: String, flush: CheckpointFlush) throws(RocksDBError) {
        let checkpoint = try unsafe checked { unsafe rocksdb_checkpoint_object_create(handle, $0) }
        defer { unsafe rocksdb_checkpoint_object_destroy(checkpoint) }
        try unsafe checked { unsafe rocksdb_checkpoint_create(checkpoint, path, flush.rawValue, $0) }
    }

    /// Adds finished SST files to a family, all in one step: a crash leaves all of them or none.
    ///
    /// - Parameters:
    ///   - paths: Files made by `SSTFileWriter`, whose key ranges don't overlap one another.
    ///   - moving: Link the files into the database rather than copy them; they are gone from their place then.
    public func ingest(_ paths: [String], into family: ColumnFamily, moving: Bool) throws(RocksDBError) {
        let options = unsafe rocksdb_ingestexternalfileoptions_create()
        defer { unsafe rocksdb_ingestexternalfileoptions_destroy(options) }
        unsafe rocksdb_ingestexternalfileoptions_set_move_files(options, moving ? 1 : 0)
        try unsafe withCStrings(paths) { (list) throws(RocksDBError) in
            try unsafe checked {
                unsafe rocksdb_ingest_external_file_cf(handle, family.handle, list, paths.count, options, $0)
            }
        }
    }

    /// Removes the database at `path`, which must not be open.
    public static func destroy(path: String) throws(RocksDBError) {
        let options = OptionsHandle()
        try unsafe checked { unsafe rocksdb_destroy_db(options.pointer, path, $0) }
    }
}
