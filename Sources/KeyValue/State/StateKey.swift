package import ByteCoding

/// The keys of the state, each after its group's id, so that groups lie apart and one range is one group's data.
///
/// ```
/// group u64 big-endian | 0x00 "applied"              the position up to which everything is applied (AppliedRecord)
///                      | 0x10 user key               a value (ValueHeader, then the value)
///                      | 0x11 expiry u64 | user key  reserved: index of expiry times
///                      | 0x12 session                an exactly-once session (SessionRecord)
///                      | 0x13 session | slot u32     a reply that it keeps (StoredReply)
/// session = index u64 | ordinal u32                  all big-endian, so that keys sort by number
/// ```
@usableFromInline
package enum StateKey {
    static let appliedFamily: UInt8 = 0x00
    @usableFromInline static let userFamily: UInt8 = 0x10
    static let sessionFamily: UInt8 = 0x12
    static let replyFamily: UInt8 = 0x13
    /// Above all families, present and future.
    private static let endOfFamilies: UInt8 = 0xFF
    /// Bytes before a user key.
    @usableFromInline package static let userPrefixBytes = 9

    package static func user(_ key: Bytes, group: UInt64) -> Bytes {
        var writer = prefix(group, userFamily)
        writer.append(key)
        return writer.take()
    }

    /// All user keys of a group: `lower <= key < upper`.
    package static func userRange(group: UInt64) -> (lower: Bytes, upper: Bytes) {
        range(group, userFamily, userFamily + 1)
    }

    /// Everything of a group, the applied record first: what a snapshot has to hold. `lower <= key < upper`.
    package static func groupRange(_ group: UInt64) -> (lower: Bytes, upper: Bytes) {
        range(group, appliedFamily, endOfFamilies)
    }

    /// Everything of a group but its applied record: what replicas compare. `lower <= key < upper`.
    package static func contentRange(group: UInt64) -> (lower: Bytes, upper: Bytes) {
        range(group, appliedFamily + 1, endOfFamilies)
    }

    static func session(_ session: SessionID, group: UInt64) -> Bytes {
        var writer = prefix(group, sessionFamily)
        writer.append(session)
        return writer.take()
    }

    /// All session records of a group: `lower <= key < upper`.
    static func sessionRange(group: UInt64) -> (lower: Bytes, upper: Bytes) {
        range(group, sessionFamily, sessionFamily + 1)
    }

    /// The session that a key in `sessionRange` is of; `nil` if it is no such key.
    static func session(ofKey key: Bytes) -> SessionID? {
        var reader = ByteReader(key)
        guard (try? reader.run(userPrefixBytes, "prefix")) != nil,
            let index = try? reader.u64BigEndian("index"), let ordinal = try? reader.u32BigEndian("ordinal"),
            reader.isAtEnd
        else { return nil }
        return SessionID(index: index, ordinal: ordinal)
    }

    /// The session and the slot that a key of a reply is of; `nil` if it is no such key.
    static func reply(ofKey key: Bytes) -> (session: SessionID, slot: UInt32)? {
        let end = userPrefixBytes + 12
        guard key.count == end + 4, let session = session(ofKey: key.slice(0..<end)) else { return nil }
        var reader = ByteReader(key.slice(end..<key.count))
        guard let slot = try? reader.u32BigEndian("slot") else { return nil }
        return (session, slot)
    }

    static func reply(_ session: SessionID, slot: UInt32, group: UInt64) -> Bytes {
        var writer = prefix(group, replyFamily)
        writer.append(session)
        writer.appendBigEndian(slot)
        return writer.take()
    }

    /// Gives `body` the state's key of a user's key; a key of up to about a kilobyte costs no allocation.
    @inlinable package static func withUser<R, E: Error>(
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

    private static func range(
        _ group: UInt64, _ first: UInt8, _ end: UInt8
    ) -> (lower: Bytes, upper: Bytes) {
        var (lower, upper) = (prefix(group, first), prefix(group, end))
        return (lower.take(), upper.take())
    }

    private static func prefix(_ group: UInt64, _ family: UInt8) -> ByteWriter {
        var writer = ByteWriter(reservingCapacity: 32)
        writer.appendBigEndian(group)
        writer.append(family)
        return writer
    }
}

extension ByteWriter {
    fileprivate mutating func append(_ session: SessionID) {
        appendBigEndian(session.index)
        appendBigEndian(session.ordinal)
    }
}

extension ByteReader {
    fileprivate mutating func u32BigEndian(_ what: StaticString) throws(MalformedBytes) -> UInt32 {
        try u32(what).byteSwapped
    }
}
