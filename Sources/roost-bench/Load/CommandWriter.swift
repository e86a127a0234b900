/// Writes SET and GET with keys of 16 bytes into a buffer, from templates: per operation a copy and twelve digits.
///
/// A value starts with the number of its key, so that a reader sees whose value it got; the rest comes from a pool of
/// random bytes, so that no compression on the way to the disk makes the work smaller.
struct CommandWriter: ~Copyable {
    static let keyBytes = 16
    private static let digits = 12
    private static let poolBytes = 1 << 20

    let valueBytes: Int
    private let setTemplate: [UInt8]
    private let getTemplate: [UInt8]
    private let keyInSet: Int
    private let keyInGet: Int
    private let pool: UnsafeMutableRawPointer
    private var random: SplitMix64

    init(valueBytes: Int, seed: UInt64) {
        self.valueBytes = valueBytes
        let prefix = "key-"
        let zeros = String(repeating: "0", count: Self.digits)
        let setHead = "*3\r\n$3\r\nSET\r\n$\(Self.keyBytes)\r\n\(prefix)"
        setTemplate = Array("\(setHead)\(zeros)\r\n$\(valueBytes)\r\n".utf8)
        keyInSet = setHead.utf8.count
        let getHead = "*2\r\n$3\r\nGET\r\n$\(Self.keyBytes)\r\n\(prefix)"
        getTemplate = Array("\(getHead)\(zeros)\r\n".utf8)
        keyInGet = getHead.utf8.count
        random = SplitMix64(seed: seed ^ 0xA5A5_A5A5_A5A5_A5A5)
        let size = Self.poolBytes + valueBytes
        pool = .allocate(byteCount: size, alignment: 8)
        for offset in stride(from: 0, to: size - 7, by: 8) {
            pool.storeBytes(of: random.next(), toByteOffset: offset, as: UInt64.self)
        }
        for offset in (size & ~7)..<size { pool.storeBytes(of: 0x5A, toByteOffset: offset, as: UInt8.self) }
    }

    deinit { pool.deallocate() }

    /// No command is longer.
    var maxBytes: Int { setTemplate.count + valueBytes + 2 }

    /// - Returns: the number of bytes written.
    mutating func writeSet(_ key: UInt64, to target: UnsafeMutableRawPointer) -> Int {
        setTemplate.withUnsafeBytes { target.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
        Self.writeDigits(key, target + keyInSet)
        let value = target + setTemplate.count
        let start = Int(random.below(UInt64(Self.poolBytes)))
        value.copyMemory(from: pool + start, byteCount: valueBytes)
        if valueBytes >= 8 { value.storeBytes(of: key.littleEndian, as: UInt64.self) }
        (value + valueBytes).storeBytes(of: UInt16(0x0A0D).littleEndian, as: UInt16.self)
        return setTemplate.count + valueBytes + 2
    }

    /// - Returns: the number of bytes written.
    func writeGet(_ key: UInt64, to target: UnsafeMutableRawPointer) -> Int {
        getTemplate.withUnsafeBytes { target.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
        Self.writeDigits(key, target + keyInGet)
        return getTemplate.count
    }

    private static func writeDigits(_ key: UInt64, _ target: UnsafeMutableRawPointer) {
        var rest = key
        for position in stride(from: digits - 1, through: 0, by: -1) {
            target.storeBytes(
                of: UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10), toByteOffset: position, as: UInt8.self)
            rest /= 10
        }
    }
}
