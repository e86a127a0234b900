/// A record ended before a field that its format requires, or held a value that the format forbids.
///
/// Scope: the record. Whoever reads decides whether that is a broken link (drop it) or a broken disk (stop the node).
public struct MalformedBytes: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was being read, e.g. "entry payload".
    public let what: String
    /// Offset of the field that could not be read, in bytes from the start of the record.
    public let offset: Int

    public init(_ what: String, at offset: Int) {
        self.what = what
        self.offset = offset
    }

    public var description: String { "malformed \(what) at byte \(offset)" }
}

/// Reads integers and byte runs from the front of a `Bytes`; never trusts a length that it reads.
public struct ByteReader: Sendable {
    @usableFromInline let bytes: Bytes
    /// Offset of the next byte to read.
    @inlinable public var offset: Int { position }
    @usableFromInline var position = 0

    public init(_ bytes: Bytes) { self.bytes = bytes }

    @inlinable public var remaining: Int { bytes.count - position }
    public var isAtEnd: Bool { remaining == 0 }

    @inlinable mutating func load<T: FixedWidthInteger>(_ what: StaticString) throws(MalformedBytes) -> T {
        guard remaining >= MemoryLayout<T>.size else { throw tooShort(what) }
        let at = position
        position += MemoryLayout<T>.size
        return bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: at, as: T.self) }
    }

    @inlinable public mutating func u8(_ what: StaticString) throws(MalformedBytes) -> UInt8 { try load(what) }
    @inlinable public mutating func u16(_ what: StaticString) throws(MalformedBytes) -> UInt16 {
        UInt16(littleEndian: try load(what))
    }
    @inlinable public mutating func u32(_ what: StaticString) throws(MalformedBytes) -> UInt32 {
        UInt32(littleEndian: try load(what))
    }
    @inlinable public mutating func u64(_ what: StaticString) throws(MalformedBytes) -> UInt64 {
        UInt64(littleEndian: try load(what))
    }
    @inlinable public mutating func u64BigEndian(_ what: StaticString) throws(MalformedBytes) -> UInt64 {
        UInt64(bigEndian: try load(what))
    }

    /// The next `count` bytes, sharing storage.
    public mutating func run(_ count: Int, _ what: StaticString) throws(MalformedBytes) -> Bytes {
        guard count >= 0, remaining >= count else { throw tooShort(what) }
        defer { position += count }
        return bytes.slice(position..<position + count)
    }

    @usableFromInline func tooShort(_ what: StaticString) -> MalformedBytes {
        MalformedBytes(what.description, at: position)
    }

    /// A `u32` length, then that many bytes, sharing storage.
    public mutating func lengthPrefixed(_ what: StaticString) throws(MalformedBytes) -> Bytes {
        let count = Int(try u32(what))
        return try run(count, what)
    }
}
