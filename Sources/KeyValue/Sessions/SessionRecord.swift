import ByteCoding

/// What the state holds of a session besides its replies.
///
/// ```
/// version u8 (1) | idle ms u64 | window u32 | highest u64 | used: index u64 | ordinal u32 | stamp u64      little-endian
/// ```
struct SessionRecord: Hashable, Sendable {
    static let version: UInt8 = 1
    static let byteCount = 41

    let idleMilliseconds: UInt64
    let window: UInt32
    /// The highest sequence number that was executed; 0: none yet.
    private(set) var highest: UInt64 = 0
    /// The command that opened the session or was the last new one in it. No two sessions share one, so that the least
    /// recently used one is always known.
    private(set) var used: Version
    /// The stamp of the block in which that command stood, milliseconds since 1970.
    private(set) var usedStamp: UInt64

    init(_ limits: SessionLimits, openedBy command: Version, stamp: UInt64) {
        idleMilliseconds = limits.idleMilliseconds
        window = limits.window
        used = command
        usedStamp = stamp
    }

    /// Whether more than the idle time lies between the last new command and `stamp`. Both are stamps of entries: no
    /// clock of this node may come in here.
    func isExpired(at stamp: UInt64) -> Bool {
        stamp > usedStamp && stamp - usedStamp > idleMilliseconds
    }

    /// Whether the replies of so low a number are not kept any more.
    func isStale(_ sequence: UInt64) -> Bool { highest >= window && sequence <= highest - UInt64(window) }

    mutating func use(_ sequence: UInt64, by command: Version, stamp: UInt64) {
        highest = max(highest, sequence)
        used = command
        usedStamp = stamp
    }

    /// Where the reply of a number stands. Numbers that share a slot are a multiple of the window apart, so whatever a
    /// newer one overwrites is stale by then: nothing has to be deleted while the session lives.
    func slot(of sequence: UInt64) -> UInt32 { UInt32(sequence % UInt64(window)) }

    /// The slots that may hold a reply. Numbers begin at 1.
    var slotsInUse: some Sequence<UInt32> {
        let isFull = highest >= window
        return isFull ? 0..<window : 1..<UInt32(highest + 1)
    }

    func encode() -> Bytes {
        var writer = ByteWriter(reservingCapacity: Self.byteCount)
        writer.append(Self.version)
        writer.append(idleMilliseconds)
        writer.append(window)
        writer.append(highest)
        writer.append(used.index)
        writer.append(used.ordinal)
        writer.append(usedStamp)
        return writer.take()
    }

    init(decoding stored: Bytes) throws(StateStoreError) {
        do throws(MalformedBytes) {
            var reader = ByteReader(stored)
            let version = try reader.u8("version")
            guard version == Self.version else { throw MalformedBytes("version \(version)", at: 0) }
            idleMilliseconds = try reader.u64("idle time")
            window = try reader.u32("window")
            highest = try reader.u64("highest sequence number")
            used = Version(index: try reader.u64("index"), ordinal: try reader.u32("ordinal"))
            usedStamp = try reader.u64("stamp")
            guard window > 0, reader.isAtEnd else { throw MalformedBytes("window or length", at: reader.offset) }
        } catch {
            throw StateStoreError(.corruption, "a session's record can't be read: \(error)")
        }
    }
}
