import ByteCoding

/// Walks memory in place and never trusts a length that it reads there.
///
/// `ByteReader` over pointers: what it returns points into the same memory and is valid as long as that is.
struct RawCursor {
    private let bytes: UnsafeRawBufferPointer
    /// Offset of the next byte, from the start of this run.
    private(set) var offset = 0
    /// Where this run starts in the record that errors speak about.
    private let origin: Int

    init(_ bytes: UnsafeRawBufferPointer, origin: Int = 0) {
        self.bytes = bytes
        self.origin = origin
    }

    var remaining: Int { bytes.count - offset }
    /// Offset of the next byte in the record that errors speak about.
    var position: Int { origin + offset }

    mutating func u8(_ what: StaticString) throws(FormatError) -> UInt8 { try load(what) }
    mutating func u32(_ what: StaticString) throws(FormatError) -> UInt32 { UInt32(littleEndian: try load(what)) }
    mutating func u64(_ what: StaticString) throws(FormatError) -> UInt64 { UInt64(littleEndian: try load(what)) }

    /// The next `count` bytes.
    mutating func run(_ count: Int, _ what: StaticString) throws(FormatError) -> UnsafeRawBufferPointer {
        guard count >= 0, remaining >= count else { throw malformed(what) }
        defer { offset += count }
        return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count])
    }

    /// A `u32` length, then that many bytes.
    mutating func lengthPrefixed(_ what: StaticString) throws(FormatError) -> UnsafeRawBufferPointer {
        let count = Int(try u32(what))
        return try run(count, what)
    }

    /// Everything that is left.
    mutating func rest() -> UnsafeRawBufferPointer {
        defer { offset = bytes.count }
        return UnsafeRawBufferPointer(rebasing: bytes[offset...])
    }

    func end(_ what: StaticString) throws(FormatError) {
        guard remaining == 0 else { throw malformed(what) }
    }

    func malformed(_ what: StaticString) -> FormatError { .malformed(MalformedBytes(what.description, at: position)) }

    private mutating func load<T: FixedWidthInteger>(_ what: StaticString) throws(FormatError) -> T {
        guard remaining >= MemoryLayout<T>.size else { throw malformed(what) }
        defer { offset += MemoryLayout<T>.size }
        return bytes.loadUnaligned(fromByteOffset: offset, as: T.self)
    }
}
