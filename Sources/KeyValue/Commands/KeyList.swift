/// The keys of one command, in place and in the order given; the same key may stand there twice.
package struct KeyList: Sequence {
    package let count: Int
    private let bytes: UnsafeRawBufferPointer

    /// Reads a count and so many keys; after this the iterator can rely on every length.
    init(_ cursor: inout RawCursor) throws(FormatError) {
        count = Int(try cursor.u32("key count"))
        var check = cursor
        for _ in 0..<count { _ = try check.lengthPrefixed("key") }
        bytes = try cursor.run(check.offset - cursor.offset, "keys")
    }

    package func makeIterator() -> Iterator { Iterator(bytes: bytes) }

    package struct Iterator: IteratorProtocol {
        fileprivate let bytes: UnsafeRawBufferPointer
        private var offset = 0

        fileprivate init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

        package mutating func next() -> UnsafeRawBufferPointer? {
            guard offset < bytes.count else { return nil }
            return nextRun(of: bytes, at: &offset)
        }
    }
}

/// The pairs of one command, in place and in the order given; the last pair of a key wins.
package struct PairList: Sequence {
    package let count: Int
    private let bytes: UnsafeRawBufferPointer

    /// Reads a count and so many pairs; after this the iterator can rely on every length.
    init(_ cursor: inout RawCursor) throws(FormatError) {
        count = Int(try cursor.u32("pair count"))
        var check = cursor
        for _ in 0..<count {
            _ = try check.lengthPrefixed("pair key")
            _ = try check.lengthPrefixed("pair value")
        }
        bytes = try cursor.run(check.offset - cursor.offset, "pairs")
    }

    package func makeIterator() -> Iterator { Iterator(bytes: bytes) }

    package struct Iterator: IteratorProtocol {
        fileprivate let bytes: UnsafeRawBufferPointer
        private var offset = 0

        fileprivate init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

        package mutating func next() -> (key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer)? {
            guard offset < bytes.count else { return nil }
            let key = nextRun(of: bytes, at: &offset)
            return (key, nextRun(of: bytes, at: &offset))
        }
    }
}

/// A length-prefixed run whose length has been checked.
private func nextRun(of bytes: UnsafeRawBufferPointer, at offset: inout Int) -> UnsafeRawBufferPointer {
    let count = Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
    let start = offset + MemoryLayout<UInt32>.size
    offset = start + count
    return UnsafeRawBufferPointer(rebasing: bytes[start..<offset])
}
