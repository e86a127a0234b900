/// One write command, read in place: its pointers are valid as long as the bytes that it was read from.
///
/// ```
/// command   = length u32 (of what follows) | opcode u8 | flags u8 | body        integers little-endian
/// set       = key length u32 | key | [old length u32 | old]  (flag: if equal) | value
/// delete    = count u32 | (key length u32 | key)*
/// append    = key length u32 | key | suffix
/// increment = key length u32 | key | delta i64
/// multiSet  = count u32 | (key length u32 | key | value length u32 | value)*
/// flushAll  = nothing
/// ```
package enum Command {
    case set(key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer, SetCondition, returnOld: Bool)
    case delete(KeyList)
    case append(key: UnsafeRawBufferPointer, suffix: UnsafeRawBufferPointer)
    case increment(key: UnsafeRawBufferPointer, delta: Int64)
    case multiSet(PairList)
    case flushAll

    /// The longest value, in bytes. Part of the format, as replicas must agree whether an append fails: Redis' 512 MiB.
    package static let maxValueBytes = 512 << 20

    /// Reads the body that `raw` found.
    package init(_ raw: RawCommand) throws(FormatError) {
        guard let opcode = Opcode(rawValue: raw.opcode) else { throw .unknownOpcode(raw.opcode) }
        let knownFlags = opcode == .set ? SetFlags.known : 0
        guard raw.flags & ~knownFlags == 0 else { throw .unknownFlags(raw.flags, opcode: raw.opcode) }
        var body = RawCursor(raw.body, origin: raw.bodyOffset)
        switch opcode {
        case .set:
            let key = try body.lengthPrefixed("set key")
            let condition = try Self.condition(raw.flags, &body)
            let returnOld = raw.flags & SetFlags.returnOld != 0
            self = .set(key: key, value: body.rest(), condition, returnOld: returnOld)
        case .delete:
            self = .delete(try KeyList(&body))
        case .append:
            let key = try body.lengthPrefixed("append key")
            self = .append(key: key, suffix: body.rest())
        case .increment:
            let key = try body.lengthPrefixed("increment key")
            self = .increment(key: key, delta: Int64(bitPattern: try body.u64("increment delta")))
        case .multiSet:
            self = .multiSet(try PairList(&body))
        case .flushAll:
            self = .flushAll
        }
        try body.end("end of command")
    }

    private static func condition(_ flags: UInt8, _ body: inout RawCursor) throws(FormatError) -> SetCondition {
        switch flags & SetFlags.conditionMask {
        case SetFlags.ifAbsent: .ifAbsent
        case SetFlags.ifPresent: .ifPresent
        case SetFlags.ifEqual: .ifEqual(try body.lengthPrefixed("set comparison"))
        default: .none
        }
    }
}

/// A command whose frame has been read and whose body has not.
package struct RawCommand {
    package var opcode: UInt8
    package var flags: UInt8
    package var body: UnsafeRawBufferPointer
    /// Where the body starts in the record that errors speak about.
    var bodyOffset: Int

    /// Whether what the command does or answers depends on the state: everything but blind writes.
    package var readsState: Bool {
        switch Opcode(rawValue: opcode) {
        case .set: flags != 0
        case .delete, .append, .increment: true
        case .multiSet, .flushAll, nil: false
        }
    }
}
