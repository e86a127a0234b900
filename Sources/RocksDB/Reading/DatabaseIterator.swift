import CRocksDB

/// Walks a column family in key order, seeing the moment at which it was made. Holds its database strongly, and
/// memtables and files of that moment alive: don't keep one for long.
///
/// `@unchecked Sendable`: a noncopyable value has one owner, and every move needs exclusive access to it.
@safe public struct DatabaseIterator: ~Copyable, @unchecked Sendable {
    private let pointer: OpaquePointer
    private let database: Database
    /// An own copy, because it refers to the bounds below.
    private let options: ReadOptions
    /// The two bounds one after the other; RocksDB reads them as long as the iterator exists.
    private let bounds: UnsafeMutableRawBufferPointer

    /// An iterator over `lower <= key < upper`, nil meaning no bound; position it before anything else.
    ///
    /// - Precondition: `options.tier` is not `.persisted`, which RocksDB has for point reads only.
    public init(
        _ database: Database, _ family: ColumnFamily, _ options: ReadOptions = .standard,
        lower: RawSpan? = nil, upper: RawSpan? = nil
    ) {
        precondition(options.tier != .persisted, "iterators can't tell what is persisted")
        let options = options.copy()
        let lowerCount = lower?.byteCount ?? 0
        let upperCount = upper?.byteCount ?? 0
        let bounds = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, lowerCount + upperCount), alignment: 1)
        if let lower {
            unsafe lower.withUnsafeBytes { unsafe bounds.copyMemory(from: $0) }
            unsafe rocksdb_readoptions_set_iterate_lower_bound(options.pointer, bounds.baseAddress!, lowerCount)
        }
        if let upper {
            let start = unsafe bounds.baseAddress! + lowerCount
            unsafe upper.withUnsafeBytes { source in
                guard let from = source.baseAddress else { return }
                unsafe start.copyMemory(from: from, byteCount: source.count)
            }
            unsafe rocksdb_readoptions_set_iterate_upper_bound(options.pointer, start, upperCount)
        }
        unsafe pointer = rocksdb_create_iterator_cf(database.handle, options.pointer, family.handle)
        unsafe self.bounds = unsafe bounds
        self.options = options
        self.database = database
        database.addDependent()
    }

    deinit {
        unsafe rocksdb_iter_destroy(pointer)
        unsafe bounds.deallocate()
        database.removeDependent()
    }

    /// Whether the iterator stands on a pair.
    public var isValid: Bool { unsafe rocksdb_iter_valid(pointer) != 0 }

    /// To the first pair within the bounds, if there is one.
    public mutating func seekToFirst() throws(RocksDBError) {
        unsafe rocksdb_iter_seek_to_first(pointer)
        try checkEnd()
    }

    /// To the last pair within the bounds, if there is one.
    public mutating func seekToLast() throws(RocksDBError) {
        unsafe rocksdb_iter_seek_to_last(pointer)
        try checkEnd()
    }

    /// To the first pair whose key is not below `key`, if there is one.
    public mutating func seek(to key: RawSpan) throws(RocksDBError) {
        unsafe key.withCharacters { unsafe rocksdb_iter_seek(pointer, $0, $1) }
        try checkEnd()
    }

    /// To the next pair, if there is one.
    ///
    /// - Precondition: `isValid`.
    public mutating func next() throws(RocksDBError) {
        precondition(isValid, "next() beyond the end")
        unsafe rocksdb_iter_next(pointer)
        try checkEnd()
    }

    /// To the pair before, if there is one.
    ///
    /// - Precondition: `isValid`.
    public mutating func previous() throws(RocksDBError) {
        precondition(isValid, "previous() beyond the start")
        unsafe rocksdb_iter_prev(pointer)
        try checkEnd()
    }

    /// Gives `body` the pair in place; the spans are valid only during the call.
    ///
    /// - Precondition: `isValid`.
    public func withEntry<R, E: Error>(
        _ body: (_ key: RawSpan, _ value: RawSpan) throws(E) -> R
    ) throws(E) -> R {
        precondition(isValid, "no pair at the iterator's position")
        var keyCount = 0
        var valueCount = 0
        let key = unsafe UnsafeRawPointer(rocksdb_iter_key(pointer, &keyCount)!)
        let value = unsafe UnsafeRawPointer(rocksdb_iter_value(pointer, &valueCount)!)
        return try unsafe body(
            RawSpan(_unsafeStart: key, byteCount: keyCount), RawSpan(_unsafeStart: value, byteCount: valueCount))
    }

    /// An iterator that stops for an error looks like one at its end: ask which it is.
    private func checkEnd() throws(RocksDBError) {
        if isValid { return }
        try unsafe checked { unsafe rocksdb_iter_get_error(pointer, $0) }
    }
}
