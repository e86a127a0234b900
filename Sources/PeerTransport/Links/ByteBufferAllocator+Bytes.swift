import ByteCoding
import NIOCore

extension ByteBufferAllocator {
    /// A buffer with a copy of the bytes: NIO cannot take an array over.
    func buffer(_ bytes: Bytes) -> ByteBuffer {
        var buffer = buffer(capacity: bytes.count)
        bytes.withUnsafeBytes { _ = buffer.writeBytes($0) }
        return buffer
    }
}
