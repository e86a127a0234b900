import CRocksDB

/// Changes, also to several column families, that take effect together and in the order given.
///
/// A batch keeps its memory when it is cleared: keep one for each writer.
///
/// `@unchecked Sendable`: a noncopyable value has one owner, and every change needs exclusive access to it.
@safe public struct WriteBatch: ~Copyable, @unchecked Sendable {
    let pointer: OpaquePointer

    public init() { unsafe pointer = rocksdb_writebatch_create() }

    deinit { unsafe rocksdb_writebatch_destroy(pointer) }

    /// The number of changes.
    public var count: Int { unsafe Int(rocksdb_writebatch_count(pointer)) }

    /// Bytes of the batch as it goes to the WAL.
    public var byteCount: Int {
        var size = 0
        _ = unsafe rocksdb_writebatch_data(pointer, &size)
        return size
    }

    public mutating func put(_ key: RawSpan, _ value: RawSpan, in family: ColumnFamily) {
        unsafe key.withCharacters { key, keyCount in
            unsafe value.withCharacters { value, valueCount in
                unsafe rocksdb_writebatch_put_cf(pointer, family.handle, key, keyCount, value, valueCount)
            }
        }
    }

    /// Puts the concatenation of three parts, so that a value with header and trailer need not be built by the caller.
    public mutating func put(
        _ key: RawSpan, head: RawSpan, body: RawSpan, tail: RawSpan = RawSpan(), in family: ColumnFamily
    ) {
        if head.byteCount + body.byteCount + tail.byteCount <= Self.maxCopiedBytes {
            putCopied(key, head, body, tail, in: family)
        } else {
            putGathered(key, head, body, tail, in: family)
        }
    }

    /// Up to this size a copy on the stack is cheaper than RocksDB's gathering, which allocates.
    private static let maxCopiedBytes = 1024

    private mutating func putCopied(
        _ key: RawSpan, _ head: RawSpan, _ body: RawSpan, _ tail: RawSpan, in family: ColumnFamily
    ) {
        unsafe withUnsafeTemporaryAllocation(byteCount: Self.maxCopiedBytes, alignment: 1) { buffer in
            var count = 0
            func append(_ part: RawSpan) {
                unsafe part.withUnsafeBytes { source in
                    guard let start = source.baseAddress else { return }
                    unsafe (buffer.baseAddress! + count).copyMemory(from: start, byteCount: source.count)
                    count += source.count
                }
            }
            append(head)
            append(body)
            append(tail)
            unsafe put(key, RawSpan(_unsafeStart: UnsafeRawPointer(buffer.baseAddress!), byteCount: count), in: family)
        }
    }

    private mutating func putGathered(
        _ key: RawSpan, _ head: RawSpan, _ body: RawSpan, _ tail: RawSpan, in family: ColumnFamily
    ) {
        unsafe key.withCharacters { key, keyCount in
            unsafe head.withCharacters { head, headCount in
                unsafe body.withCharacters { body, bodyCount in
                    unsafe tail.withCharacters { tail, tailCount in
                        var key: UnsafePointer<CChar>? = unsafe key
                        var keyCount = keyCount
                        var parts: InlineArray<3, UnsafePointer<CChar>?> = unsafe [head, body, tail]
                        var counts: InlineArray<3, Int> = [headCount, bodyCount, tailCount]
                        var partsSpan = unsafe parts.mutableSpan
                        var countsSpan = counts.mutableSpan
                        unsafe partsSpan.withUnsafeMutableBufferPointer { parts in
                            unsafe countsSpan.withUnsafeMutableBufferPointer { counts in
                                unsafe rocksdb_writebatch_putv_cf(
                                    pointer, family.handle, 1, &key, &keyCount, 3, parts.baseAddress, counts.baseAddress
                                )
                            }
                        }
                    }
                }
            }
        }
    }

    public mutating func delete(_ key: RawSpan, in family: ColumnFamily) {
        unsafe key.withCharacters { unsafe rocksdb_writebatch_delete_cf(pointer, family.handle, $0, $1) }
    }

    /// Deletes `lower <= key < upper` with one range tombstone, whatever the number of keys; many of them slow reads.
    public mutating func deleteRange(from lower: RawSpan, to upper: RawSpan, in family: ColumnFamily) {
        unsafe lower.withCharacters { lower, lowerCount in
            unsafe upper.withCharacters { upper, upperCount in
                unsafe rocksdb_writebatch_delete_range_cf(
                    pointer, family.handle, lower, lowerCount, upper, upperCount)
            }
        }
    }

    /// Forgets all changes.
    public mutating func clear() { unsafe rocksdb_writebatch_clear(pointer) }
}
