import CRocksDB

/// Writes a table file outside of any database, for `Database.ingest`.
///
/// `@unchecked Sendable`: a noncopyable value has one owner, and every change needs exclusive access to it.
@safe public struct SSTFileWriter: ~Copyable, @unchecked Sendable {
    private let pointer: OpaquePointer
    private let environment: OpaquePointer
    private let options: OptionsHandle

    /// Starts the file at `path`, replacing one that is there; `options` are those of the family that it is meant for.
    public init(path: String, options: ColumnFamilyOptions) throws(RocksDBError) {
        let options = try options.makeHandle()
        let environment = unsafe rocksdb_envoptions_create()
        let writer = unsafe rocksdb_sstfilewriter_create(environment, options.pointer)
        do throws(RocksDBError) {
            try unsafe checked { unsafe rocksdb_sstfilewriter_open(writer, path, $0) }
        } catch {
            unsafe rocksdb_sstfilewriter_destroy(writer)
            unsafe rocksdb_envoptions_destroy(environment)
            throw error
        }
        self.options = options
        unsafe self.environment = environment!
        unsafe pointer = writer!
    }

    deinit {
        unsafe rocksdb_sstfilewriter_destroy(pointer)
        unsafe rocksdb_envoptions_destroy(environment)
    }

    /// Appends a pair.
    ///
    /// - Throws: `.other` unless `key` is above all keys before it.
    public mutating func put(_ key: RawSpan, _ value: RawSpan) throws(RocksDBError) {
        let writer = unsafe pointer
        try unsafe key.withCharacters { (key, keyCount) throws(RocksDBError) in
            try unsafe value.withCharacters { (value, valueCount) throws(RocksDBError) in
                try unsafe checked {
                    unsafe rocksdb_sstfilewriter_put(writer, key, keyCount, value, valueCount, $0)
                }
            }
        }
    }

    /// Bytes written so far.
    public var fileBytes: UInt64 {
        var size: UInt64 = 0
        unsafe rocksdb_sstfilewriter_file_size(pointer, &size)
        return size
    }

    /// Completes and syncs the file (not its directory).
    ///
    /// - Throws: `.other` for a file without a pair.
    public mutating func finish() throws(RocksDBError) {
        let writer = unsafe pointer
        try unsafe checked { unsafe rocksdb_sstfilewriter_finish(writer, $0) }
    }
}
