/// Keys of 16 bytes and values that don't compress, drawn by a generator of its own: the same seed, the same sequence.
struct Material {
    static let keyBytes = 16

    private let keys: UInt64
    private let valueBytes: Int
    /// Values are pieces of it.
    private var pool: [UInt8] = []
    private var state: UInt64
    private var key: [UInt8]

    init(keys: Int, valueBytes: Int, seed: UInt64) {
        self.keys = UInt64(keys)
        self.valueBytes = valueBytes
        state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        key = Array("key0000000000000".utf8)
        // Much more than LZ4 looks back over.
        let poolBytes = (4 << 20) + valueBytes
        pool.reserveCapacity(poolBytes + 8)
        while pool.count < poolBytes {
            let word = draw()
            withUnsafeBytes(of: word) { pool.append(contentsOf: $0) }
        }
    }

    /// A random key and a random value.
    mutating func next<R>(
        _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) throws -> R
    ) rethrows -> R {
        let number = Int(draw() % keys)
        return try pair(number, body)
    }

    /// That key and a random value.
    mutating func pair<R>(
        _ number: Int, _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) throws -> R
    ) rethrows -> R {
        var rest = number
        for position in stride(from: Self.keyBytes - 1, to: 2, by: -1) {
            key[position] = 0x30 + UInt8(rest % 10)
            rest /= 10
        }
        let offset = Int(draw() % UInt64(pool.count - valueBytes))
        return try key.withUnsafeBytes { key in
            try pool.withUnsafeBytes { pool in
                try body(key, UnsafeRawBufferPointer(rebasing: pool[offset..<offset + valueBytes]))
            }
        }
    }

    /// xorshift64*.
    private mutating func draw() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 0x2545_F491_4F6C_DD1D
    }
}
