/// Reads RocksDB's numbers of variable length (util/coding.h) front to back: seven bits a byte, lowest first. Nil for
/// bytes that are none.
struct VariableIntegers {
    private let bytes: UnsafeRawBufferPointer
    private(set) var offset: Int

    init(_ bytes: UnsafeRawBufferPointer, from offset: Int = 0) {
        self.bytes = bytes
        self.offset = offset
    }

    mutating func next() -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: 0, through: 63, by: 7) {
            guard offset < bytes.count else { return nil }
            let byte = bytes[offset]
            offset += 1
            value |= UInt64(byte & 0x7F) << UInt64(shift)
            if byte < 0x80 { return value }
        }
        return nil
    }

    /// A number that may count or place bytes of a file.
    mutating func nextSize() -> Int? { next().flatMap { Int(exactly: $0) } }

    /// A signed number: the lowest bit is the sign (zigzag).
    mutating func nextSigned() -> Int? {
        guard let value = next() else { return nil }
        return Int(Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1))
    }

    /// Skips `count` bytes; false if there are fewer.
    mutating func skip(_ count: Int) -> Bool {
        guard count >= 0, count <= bytes.count - offset else { return false }
        offset += count
        return true
    }
}
