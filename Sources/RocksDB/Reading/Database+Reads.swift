import CRocksDB

extension Database {
    /// Gives `body` the value of `key` in place, nil when absent. The span, and the block or memtable that it pins, are
    /// valid only during the call.
    ///
    /// - Throws: `.incomplete` with tier `.memory` when the answer may need the disk; `.corruption`; `.io`.
    public func get<R>(
        _ key: RawSpan, in family: ColumnFamily, _ options: ReadOptions = .standard, _ body: (RawSpan?) -> R
    ) throws(RocksDBError) -> R {
        precondition(options.tier != .memory || keepsAllFilesOpen, "memory-only reads need maxOpenFiles -1 in \(path)")
        let pinned = try unsafe key.withCharacters { (key, count) throws(RocksDBError) -> OpaquePointer? in
            try unsafe checked {
                unsafe rocksdb_get_pinned_cf(handle, options.pointer, family.handle, key, count, $0)
            }
        }
        guard let pinned = unsafe pinned else { return body(nil) }
        defer { unsafe rocksdb_pinnableslice_destroy(pinned) }
        var count = 0
        let start = unsafe rocksdb_pinnableslice_value(pinned, &count)
        return unsafe body(RawSpan(_unsafeStart: UnsafeRawPointer(start!), byteCount: count))
    }

    /// The same without a result: a call from another module is not generic, and costs no look-up of types at run time.
    public func withValue(
        of key: RawSpan, in family: ColumnFamily, _ options: ReadOptions, _ body: (RawSpan?) -> Void
    ) throws(RocksDBError) { try get(key, in: family, options, body) }

    /// A copy of the value of `key`, nil when absent.
    public func get(
        _ key: RawSpan, in family: ColumnFamily, _ options: ReadOptions = .standard
    ) throws(RocksDBError) -> [UInt8]? {
        try get(key, in: family, options) { value in
            guard let value else { return nil }
            return unsafe value.withUnsafeBytes { unsafe [UInt8]($0) }
        }
    }

    /// Gives `body` each pair with `lower <= key < upper`, ascending, until it returns false; `nil` is without end.
    ///
    /// All pairs are of one moment: that of the call, or of the snapshot in `options`.
    public func scan(
        from lower: RawSpan, to upper: RawSpan?, in family: ColumnFamily, _ options: ReadOptions = .standard,
        _ body: (_ key: RawSpan, _ value: RawSpan) -> Bool
    ) throws(RocksDBError) {
        var iterator = DatabaseIterator(self, family, options, lower: lower, upper: upper)
        try iterator.seekToFirst()
        while iterator.isValid {
            guard iterator.withEntry(body) else { return }
            try iterator.next()
        }
    }
}
