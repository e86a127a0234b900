package import ByteCoding

/// The keys of the state, each after its group's id, so that groups lie apart and one range is one group's data.
///
/// ```
/// group u64 big-endian | 0x00 "applied"              the position up to which everything is applied (AppliedRecord)
///                      | 0x10 user key               a value (ValueHeader, then the value)
///                      | 0x11 expiry u64 | user key  reserved: index of expiry times
///                      | 0x12 session u64            reserved: exactly-once sessions
/// ```
package enum StateKey {
    static let userFamily: UInt8 = 0x10
    /// Bytes before a user key.
    package static let userPrefixBytes = 9

    package static func user(_ key: Bytes, group: UInt64) -> Bytes {
        var writer = prefix(group, userFamily)
        writer.append(key)
        return writer.take()
    }

    /// All user keys of a group: `lower <= key < upper`.
    package static func userRange(group: UInt64) -> (lower: Bytes, upper: Bytes) {
        var (lower, upper) = (prefix(group, userFamily), prefix(group, userFamily + 1))
        return (lower.take(), upper.take())
    }

    /// Gives `body` the state's key of a user's key; a key of up to about a kilobyte costs no allocation.
    package static func withUser<R, E: Error>(
        _ key: UnsafeRawBufferPointer, group: UInt64, _ body: (UnsafeRawBufferPointer) throws(E) -> R
    ) throws(E) -> R {
        try withUnsafeTemporaryAllocation(
            byteCount: userPrefixBytes + key.count, alignment: MemoryLayout<UInt64>.alignment
        ) { (memory: UnsafeMutableRawBufferPointer) throws(E) -> R in
            memory.storeBytes(of: group.bigEndian, as: UInt64.self)
            memory[8] = userFamily
            UnsafeMutableRawBufferPointer(rebasing: memory[userPrefixBytes...]).copyMemory(from: key)
            return try body(UnsafeRawBufferPointer(memory))
        }
    }

    private static func prefix(_ group: UInt64, _ family: UInt8) -> ByteWriter {
        var writer = ByteWriter(reservingCapacity: 16)
        writer.appendBigEndian(group)
        writer.append(family)
        return writer
    }
}
