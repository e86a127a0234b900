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
/// openSession  = idle ms u64 | window u32 | max sessions u32
/// closeSession = session
/// once      = session | sequence u64 (from 1) | a command, none of sessions
/// session   = index u64 | ordinal u32
/// ```
package enum Command {
    case set(key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer, SetCondition, returnOld: Bool)
    case delete(KeyList)
    case append(key: UnsafeRawBufferPointer, suffix: UnsafeRawBufferPointer)
    case increment(key: UnsafeRawBufferPointer, delta: Int64)
    case multiSet(PairList)
    case flushAll
    case openSession(SessionLimits)
    case closeSession(SessionID)
    case once(SessionRequest)

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
        case .openSession:
            self = .openSession(try Self.limits(&body))
        case .closeSession:
            self = .closeSession(try Self.session(&body))
        case .once:
            let session = try Self.session(&body)
            let sequence = try body.u64("sequence number")
            guard sequence > 0 else { throw body.malformed("sequence number") }
            self = .once(SessionRequest(session: session, sequence: sequence, raw: try Self.raw(inSession: &body)))
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

    private static func session(_ body: inout RawCursor) throws(FormatError) -> SessionID {
        SessionID(index: try body.u64("session index"), ordinal: try body.u32("session ordinal"))
    }

    private static func limits(_ body: inout RawCursor) throws(FormatError) -> SessionLimits {
        let limits = SessionLimits(
            idleMilliseconds: try body.u64("idle time"), window: try body.u32("window"),
            maxSessions: try body.u32("max sessions"))
        guard limits.isValid else { throw body.malformed("session limits") }
        return limits
    }

    /// Sessions are not nested, and what opens or closes them needs none.
    private static func raw(inSession body: inout RawCursor) throws(FormatError) -> RawCommand {
        let raw = try RawCommand(&body)
        switch Opcode(rawValue: raw.opcode) {
        case .openSession, .closeSession, .once: throw body.malformed("command of a session")
        case .set, .delete, .append, .increment, .multiSet, .flushAll, nil: _ = try Command(raw)
        }
        return raw
    }
}

/// A command that is to be executed once, however often it comes with this number.
///
/// It holds the command's bytes, already checked, and not a `Command`: an indirect case would make every command, also
/// those outside of sessions, cost reference counting.
package struct SessionRequest {
    package let session: SessionID
    /// Counted by the client, from 1.
    package let sequence: UInt64
    private let raw: RawCommand

    fileprivate init(session: SessionID, sequence: UInt64, raw: RawCommand) {
        self.session = session
        self.sequence = sequence
        self.raw = raw
    }

    /// What to execute; never a command of sessions.
    package var command: Command {
        do throws(FormatError) {
            return try Command(raw)
        } catch {
            preconditionFailure("a command changed after it was checked: \(error)")
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

    /// Reads the frame at the cursor.
    init(_ cursor: inout RawCursor) throws(FormatError) {
        let length = Int(try cursor.u32("command length"))
        guard length >= 2, length <= cursor.remaining else { throw cursor.malformed("command length") }
        (opcode, flags) = (try cursor.u8("opcode"), try cursor.u8("flags"))
        bodyOffset = cursor.position
        body = try cursor.run(length - 2, "command body")
    }

    /// Whether what the command does or answers depends on the users' keys: everything but blind writes.
    package var readsState: Bool {
        switch Opcode(rawValue: opcode) {
        case .set: flags != 0
        case .delete, .append, .increment: true
        // Which depends on the command inside; it is not worth a look.
        case .once: true
        case .multiSet, .flushAll, .openSession, .closeSession, nil: false
        }
    }
}
