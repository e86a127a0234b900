import ByteCoding

/// RocksDB's form of CRC-32C (util/crc32c.h): rotated and shifted, so that the checksum of bytes that hold checksums
/// stays a good one.
enum MaskedChecksum {
    static func of(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        let crc = CRC32C.checksum(bytes)
        return (crc >> 15 | crc << 17) &+ 0xA282_EAD8
    }
}

extension UnsafeRawBufferPointer {
    /// The little-endian number at `offset`, which must lie inside.
    func number<T: FixedWidthInteger>(_ offset: Int, as type: T.Type = T.self) -> T {
        precondition(offset >= 0 && offset + MemoryLayout<T>.size <= count)
        return T(littleEndian: loadUnaligned(fromByteOffset: offset, as: T.self))
    }
}
