import CRocksDB

extension Database {
    /// Makes all of the batch visible and, as `options` say, durable at once. The batch stays as it is.
    public func write(_ batch: inout WriteBatch, _ options: WriteOptions) throws(RocksDBError) {
        let batchPointer = unsafe batch.pointer
        try unsafe checked { unsafe rocksdb_write(handle, options.pointer, batchPointer, $0) }
    }

    /// Writes one pair by itself.
    public func put(
        _ key: RawSpan, _ value: RawSpan, in family: ColumnFamily, _ options: WriteOptions
    ) throws(RocksDBError) {
        try unsafe key.withCharacters { (key, keyCount) throws(RocksDBError) in
            try unsafe value.withCharacters { (value, valueCount) throws(RocksDBError) in
                try unsafe checked {
                    unsafe rocksdb_put_cf(
                        handle, options.pointer, family.handle, key, keyCount, value, valueCount, $0)
                }
            }
        }
    }

    /// Deletes one key by itself.
    public func delete(_ key: RawSpan, in family: ColumnFamily, _ options: WriteOptions) throws(RocksDBError) {
        try unsafe key.withCharacters { (key, count) throws(RocksDBError) in
            try unsafe checked {
                unsafe rocksdb_delete_cf(handle, options.pointer, family.handle, key, count, $0)
            }
        }
    }

    /// Deletes `lower <= key < upper`; see `WriteBatch.deleteRange`.
    public func deleteRange(
        from lower: RawSpan, to upper: RawSpan, in family: ColumnFamily, _ options: WriteOptions
    ) throws(RocksDBError) {
        try unsafe lower.withCharacters { (lower, lowerCount) throws(RocksDBError) in
            try unsafe upper.withCharacters { (upper, upperCount) throws(RocksDBError) in
                try unsafe checked {
                    unsafe rocksdb_delete_range_cf(
                        handle, options.pointer, family.handle, lower, lowerCount, upper, upperCount, $0)
                }
            }
        }
    }
}
