import ByteCoding

/// The bytes of a snapshot's file.
///
/// ```
/// header   "roost-snapshot" | version u8 (1) | length u32 | header fields | crc32c u32 over everything before
/// block    length u32 | (key length u32 | key | value length u32 | value)* | crc32c u32 over length and pairs
/// …        keys ascend through all blocks; the first is the applied record's
/// footer   0 u32 | blocks u64 | pairs u64 | hash u64 | crc32c u32 over the footer before
/// ```
enum SnapshotFormat {
    static let magic = Bytes("roost-snapshot")
    static let version: UInt8 = 1
    /// Bytes of pairs in a block: it is closed by the pair that reaches this.
    static let blockBytes = 256 << 10
    /// A longer header is no header: memberships are small.
    static let maxHeaderBytes = 1 << 20
    static let headBytes = magic.count + 5
    static let footerBytes = 32
}

/// Chains the checksums of header and blocks, so that a block that is missing, doubled or moved shows in the end.
struct SnapshotHash: Hashable {
    private(set) var value: UInt64 = 0

    /// A step of SplitMix64's kind: each checksum changes everything behind it.
    mutating func add(_ checksum: UInt32) {
        value = (value ^ UInt64(checksum)) &+ 0x9E37_79B9_7F4A_7C15
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        value ^= value >> 31
    }
}
