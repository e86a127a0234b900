import NIOCore
import RESP

/// A reply sink in an event loop's buffer.
struct ReplyBuffer: ReplySink {
    var buffer: ByteBuffer

    init(_ buffer: ByteBuffer = ByteBuffer()) { self.buffer = buffer }

    mutating func write(_ bytes: UnsafeRawBufferPointer) { buffer.writeBytes(bytes) }
    mutating func write(_ byte: UInt8) { buffer.writeInteger(byte) }
}
