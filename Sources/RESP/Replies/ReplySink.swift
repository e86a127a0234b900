/// Where encoded bytes go: an event loop's buffer, or an array. The writers below it are extensions of this protocol,
/// inlinable so that each sink gets code of its own.
@usableFromInline
package protocol ReplySink {
    /// Appends the bytes; keeps no pointer to them.
    mutating func write(_ bytes: UnsafeRawBufferPointer)
    mutating func write(_ byte: UInt8)
}

/// The protocol version that a connection has agreed on (`HELLO`).
@frozen @usableFromInline
package enum RESPVersion: UInt8, Hashable, Sendable {
    case resp2 = 2
    case resp3 = 3
}

/// A sink in an array.
package struct ByteArraySink: ReplySink, Sendable {
    package var bytes: [UInt8] = []

    package init() {}
    package mutating func write(_ bytes: UnsafeRawBufferPointer) { self.bytes.append(contentsOf: bytes) }
    package mutating func write(_ byte: UInt8) { bytes.append(byte) }
}
