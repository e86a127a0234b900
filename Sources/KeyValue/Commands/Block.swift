package import ByteCoding

/// The payload of one entry of the consensus engine, read in place.
///
/// ```
/// block   = version u8 (1) | stamp u64 | segment*
/// segment = origin.node u64 | origin.incarnation u64 | origin.sequence u64 | count u32
///         | length u32 (of the commands) | command*                             integers little-endian
/// ```
/// Pointers into a block are valid as long as the memory that it was made from.
package struct Block {
    /// The newest version that this node writes and reads.
    package static let version: UInt8 = 1
    /// Bytes before the first segment.
    package static let headerBytes = 9

    /// Milliseconds since 1970 by the clock of the leader that made the block; never goes back from block to block.
    package let stamp: UInt64
    private let body: UnsafeRawBufferPointer

    /// Reads the header; the segments are checked as they are walked.
    package init(_ bytes: UnsafeRawBufferPointer) throws(FormatError) {
        var cursor = RawCursor(bytes)
        let version = try cursor.u8("block version")
        guard version <= Self.version else { throw .newerBlock(version: version) }
        guard version == Self.version else { throw .malformed(MalformedBytes("block version", at: 0)) }
        stamp = try cursor.u64("block stamp")
        body = cursor.rest()
    }

    package var segments: SegmentCursor { SegmentCursor(body) }

    /// Joins segments as they stand: the one copy between the event loops' arenas and the log.
    package static func encode(stamp: UInt64, segments: [Bytes]) -> Bytes {
        var writer = ByteWriter(reservingCapacity: segments.reduce(headerBytes) { $0 + $1.count })
        writer.append(version)
        writer.append(stamp)
        for segment in segments { writer.append(segment) }
        return writer.take()
    }

    /// Whether any command of a block reads the state; looks at frames only, and stops at the first that does.
    package static func readsState(_ bytes: Bytes) throws(FormatError) -> Bool {
        try bytes.withUnsafeBytes { (bytes) throws(FormatError) -> Bool in
            var segments = try Block(bytes).segments
            while let segment = try segments.next() {
                var commands = segment.commands
                while let command = try commands.next() {
                    if command.readsState { return true }
                }
            }
            return false
        }
    }

    /// Reads every byte of a block and throws at the first that `KeyValueMachine` could not apply.
    package static func validate(_ bytes: Bytes) throws(FormatError) {
        try bytes.withUnsafeBytes { (bytes) throws(FormatError) in
            var segments = try Block(bytes).segments
            while let segment = try segments.next() { try segment.validate() }
        }
    }
}

/// Walks the segments of a block.
package struct SegmentCursor {
    private var cursor: RawCursor

    fileprivate init(_ body: UnsafeRawBufferPointer) { cursor = RawCursor(body, origin: Block.headerBytes) }

    /// The next segment; `nil` at the end of the block.
    package mutating func next() throws(FormatError) -> SegmentView? {
        cursor.remaining == 0 ? nil : try SegmentView(&cursor)
    }
}
