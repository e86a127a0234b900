/// Appends integers and byte runs to a growing array.
///
/// Integers are little-endian unless the name says otherwise (keys are big-endian, so that they sort by value).
public struct ByteWriter: Sendable {
    public private(set) var bytes: [UInt8]

    @inlinable public var count: Int { bytes.count }

    public init(reservingCapacity capacity: Int = 0) {
        bytes = []
        bytes.reserveCapacity(capacity)
    }

    public mutating func append(_ value: UInt8) { bytes.append(value) }

    public mutating func append(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    public mutating func appendBigEndian(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }

    public mutating func append(_ buffer: UnsafeRawBufferPointer) { bytes.append(contentsOf: buffer) }

    public mutating func append(_ run: Bytes) { run.withUnsafeBytes { bytes.append(contentsOf: $0) } }

    /// A `u32` length, then the bytes.
    public mutating func appendLengthPrefixed(_ buffer: UnsafeRawBufferPointer) {
        append(UInt32(buffer.count))
        append(buffer)
    }

    /// A `u32` length, then the bytes.
    public mutating func appendLengthPrefixed(_ run: Bytes) { run.withUnsafeBytes { appendLengthPrefixed($0) } }

    /// Overwrites what stands at `offset` with the little-endian form of `value`, for lengths known only afterwards.
    public mutating func overwrite(at offset: Int, with value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { source in
            precondition(offset + source.count <= bytes.count, "overwrite at \(offset) of \(bytes.count) bytes")
            bytes.withUnsafeMutableBytes { target in
                UnsafeMutableRawBufferPointer(rebasing: target[offset..<offset + source.count]).copyMemory(from: source)
            }
        }
    }

    /// Hands the bytes over and leaves this writer empty, without capacity.
    public mutating func take() -> Bytes {
        defer { bytes = [] }
        return Bytes(bytes)
    }
}
