package import ByteCoding

/// The commands that one node's event loop collected from its clients in one turn, read in place.
package struct SegmentView {
    /// Bytes before the first command.
    package static let headerBytes = 32

    package let origin: Origin
    /// The number of commands, as the header says; `commands` throws if that is not true.
    package let count: Int
    private let body: UnsafeRawBufferPointer
    private let bodyOffset: Int

    init(_ cursor: inout RawCursor) throws(FormatError) {
        let (node, incarnation) = (try cursor.u64("segment node"), try cursor.u64("segment incarnation"))
        origin = Origin(node: node, incarnation: incarnation, sequence: try cursor.u64("segment sequence"))
        count = Int(try cursor.u32("segment count"))
        let length = Int(try cursor.u32("segment length"))
        bodyOffset = cursor.position
        body = try cursor.run(length, "segment commands")
        // So that nobody reserves memory for a count that the bytes can't hold.
        guard count <= length / CommandCursor.minimumCommandBytes else { throw cursor.malformed("segment count") }
    }

    package var commands: CommandCursor { CommandCursor(body, count: count, origin: bodyOffset) }

    /// Reads every command and throws at the first that `KeyValueMachine` could not apply.
    func validate() throws(FormatError) {
        var commands = commands
        while let raw = try commands.next() { _ = try Command(raw) }
    }

    /// Reads every byte of a segment that stands alone, as a follower forwards it.
    ///
    /// - Returns: who sent it and how many commands it holds.
    @discardableResult
    package static func validate(_ bytes: Bytes) throws(FormatError) -> (origin: Origin, count: Int) {
        try bytes.withUnsafeBytes { (bytes) throws(FormatError) in
            var cursor = RawCursor(bytes)
            let segment = try SegmentView(&cursor)
            try cursor.end("end of segment")
            try segment.validate()
            return (segment.origin, segment.count)
        }
    }
}

/// Walks the commands of a segment.
package struct CommandCursor {
    /// Length, opcode and flags.
    static let minimumCommandBytes = 6

    private var cursor: RawCursor
    private var remaining: Int

    fileprivate init(_ body: UnsafeRawBufferPointer, count: Int, origin: Int) {
        cursor = RawCursor(body, origin: origin)
        remaining = count
    }

    /// The next command; `nil` after the last. Throws if the bytes hold more or fewer commands than the header says.
    package mutating func next() throws(FormatError) -> RawCommand? {
        guard remaining > 0 else {
            try cursor.end("end of segment")
            return nil
        }
        remaining -= 1
        return try RawCommand(&cursor)
    }
}
