/// Appends integers and byte runs to a growing array.
///
/// Integers are little-endian unless the name says otherwise (keys are big-endian, so that they sort by value).
public struct ByteWriter: Sendable {
    @usableFromInline var storage: [UInt8]

    @inlinable public var bytes: [UInt8] { storage }

    @inlinable public var count: Int { storage.count }

    public init(reservingCapacity capacity: Int = 0) {
        storage = []
        storage.reserveCapacity(capacity)
    }

    @inlinable public mutating func append(_ value: UInt8) { storage.append(value) }

    @inlinable public mutating func append(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { storage.append(contentsOf: $0) }
    }

    @inlinable public mutating func appendBigEndian(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.bigEndian) { storage.append(contentsOf: $0) }
    }

    @inlinable public mutating func append(_ buffer: UnsafeRawBufferPointer) { storage.append(contentsOf: buffer) }

    public mutating func append(_ run: Bytes) { run.withUnsafeBytes { storage.append(contentsOf: $0) } }

    /// A `u32` length, then the bytes.
    @inlinable public mutating func appendLengthPrefixed(_ buffer: UnsafeRawBufferPointer) {
        append(UInt32(buffer.count))
        append(buffer)
    }

    /// A `u32` length, then the bytes.
    public mutating func appendLengthPrefixed(_ run: Bytes) { run.withUnsafeBytes { appendLengthPrefixed($0) } }

    /// Overwrites what stands at `offset` with the little-endian form of `value`, for lengths known only afterwards.
    @inlinable public mutating func overwrite(at offset: Int, with value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { source in
            precondition(offset + source.count <= storage.count, "overwrite at \(offset) of \(storage.count) bytes")
            storage.withUnsafeMutableBytes { target in
                UnsafeMutableRawBufferPointer(rebasing: target[offset..<offset + source.count]).copyMemory(from: source)
            }
        }
    }

    /// Hands the bytes over and leaves this writer empty, without capacity.
    public mutating func take() -> Bytes {
        defer { storage = [] }
        return Bytes(storage)
    }
}
