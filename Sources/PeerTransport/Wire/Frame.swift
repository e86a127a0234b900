import ByteCoding
import Raft

/// The unit on a connection once the handshake is done; all integers little-endian.
///
/// ```
/// 0        4         5      6       8         16      24     32   40
/// | length | version | kind | flags | cluster | group | from | to | payload ...
///   u32      u8        u8     u16     u64       u64     u64    u64
/// ```
///
/// `length` counts what follows it. A message too large for one frame is cut: every piece but the last carries
/// `.continues`, every piece but the first `.continuation`. The pieces of one message are in order, those of two messages
/// never mixed, but whole frames of other kinds may stand between them: so a heartbeat never waits for a large append.
///
/// There is no checksum: entries carry their own (CRC-32C, made by their leader), and a TLS layer protects the rest.
struct Frame: Hashable, Sendable {
    var header: FrameHeader
    var payload: Bytes
}

/// What stands before the payload.
struct FrameHeader: Hashable, Sendable {
    /// The layout that this build writes, and the only one that it reads.
    static let version: UInt8 = 1
    static let byteCount = 40
    /// The bytes of `length` itself, which it doesn't count.
    static let lengthByteCount = 4

    var kind: FrameKind
    var flags: FrameFlags
    var cluster: UInt64
    /// 0 for frames that concern the link itself.
    var group: GroupID
    var from: NodeID
    var to: NodeID

    /// Appends the header of a frame with that many bytes of payload.
    func encode(payloadByteCount: Int, into writer: inout ByteWriter) {
        writer.append(UInt32(Self.byteCount - Self.lengthByteCount + payloadByteCount))
        writer.append(Self.version)
        writer.append(kind.rawValue)
        writer.append(flags.rawValue)
        writer.append(cluster)
        writer.append(group.rawValue)
        writer.append(from.rawValue)
        writer.append(to.rawValue)
    }

    /// The size of the frame that starts at `offset`, as its first field tells it: not to be trusted.
    static func frameByteCount(at offset: Int, in bytes: UnsafeRawBufferPointer) -> Int {
        Int(bytes.load(at: offset, as: UInt32.self)) + lengthByteCount
    }

    /// Reads the header of the frame that starts at `offset`; the caller knows that the whole frame is there.
    init(at offset: Int, in bytes: UnsafeRawBufferPointer) throws(FrameError) {
        let version = bytes[offset + 4]
        guard version == Self.version else { throw .version(version) }
        guard let kind = FrameKind(rawValue: bytes[offset + 5]) else { throw .kind(bytes[offset + 5]) }
        let flags = FrameFlags(rawValue: bytes.load(at: offset + 6, as: UInt16.self))
        guard FrameFlags.known.isSuperset(of: flags) else { throw .flags(flags.rawValue) }
        self.init(
            kind: kind, flags: flags, cluster: bytes.load(at: offset + 8, as: UInt64.self),
            group: GroupID(bytes.load(at: offset + 16, as: UInt64.self)),
            from: NodeID(bytes.load(at: offset + 24, as: UInt64.self)),
            to: NodeID(bytes.load(at: offset + 32, as: UInt64.self)))
    }

    init(kind: FrameKind, flags: FrameFlags = [], cluster: UInt64, group: GroupID, from: NodeID, to: NodeID) {
        self.kind = kind
        self.flags = flags
        self.cluster = cluster
        self.group = group
        self.from = from
        self.to = to
    }
}

extension UnsafeRawBufferPointer {
    fileprivate func load<T: FixedWidthInteger & BitwiseCopyable>(at offset: Int, as type: T.Type) -> T {
        T(littleEndian: loadUnaligned(fromByteOffset: offset, as: type))
    }
}

/// Numbers are never reused.
enum FrameKind: UInt8, Sendable {
    /// A `Message`, in the layout of its own codec.
    case raft = 1
    /// A `ForwardedSegment`.
    case forward = 2
    /// Asked by the dialling side; the payload, its clock, comes back in a `pong`.
    case ping = 3
    case pong = 4
    /// The dialling side does not accept who answered: one sentence, then the end of the connection.
    case refusal = 5
    /// Like `refusal`: who answered was a member and never will be again.
    case removed = 6
    /// What goes over the connection of a snapshot: see `SnapshotFrame`.
    case snapshotOffer = 7
    case snapshotAccept = 8
    case snapshotChunk = 9
    case snapshotAck = 10
    case snapshotEnd = 11
    case snapshotDone = 12
    case snapshotRefused = 13
    /// A `RoomReport`.
    case room = 14
    /// A `ComparisonRequest`.
    case comparisonRequest = 15
    /// A `ComparisonReport`.
    case comparisonReport = 16
}

struct FrameFlags: OptionSet, Hashable, Sendable {
    let rawValue: UInt16
    /// Another piece of this message follows.
    static let continues = FrameFlags(rawValue: 1 << 0)
    /// Not the first piece of its message.
    static let continuation = FrameFlags(rawValue: 1 << 1)
    static let known: FrameFlags = [.continues, .continuation]
}

/// What a frame can have wrong. Scope: the link; its connection is closed.
enum FrameError: Error, Hashable, Sendable {
    case lengthOutOfRange(Int, limit: Int)
    case version(UInt8)
    case kind(UInt8)
    case flags(UInt16)
    case foreignCluster
    case addresses(from: NodeID, to: NodeID)
    /// A piece without its first, or a second message between the pieces of one.
    case piece
    case messageTooLarge(limit: Int)
    case malformed(MalformedBytes)
    /// A kind that the receiving side of this connection never gets.
    case unexpected(FrameKind)
    case corruptChunk(offset: UInt64)
    case chunkOutOfOrder(offset: UInt64, expected: UInt64)
    /// An offset that nobody has sent yet, or beyond the end.
    case offset(UInt64)
}

extension FrameError: CustomStringConvertible {
    var description: String {
        switch self {
        case .lengthOutOfRange(let length, let limit):
            "a frame of \(length) bytes (\(FrameHeader.byteCount) to \(limit) are allowed)"
        case .version(let version): "frame version \(version) (this node reads \(FrameHeader.version))"
        case .kind(let kind): "unknown frame kind \(kind)"
        case .flags(let flags): "unknown frame flags \(flags)"
        case .foreignCluster: "a frame of another cluster"
        case .addresses(let from, let to): "a frame from node \(from) to node \(to), who are not those of this link"
        case .piece: "a piece of a message out of order"
        case .messageTooLarge(let limit): "a message of more than \(limit) bytes"
        case .malformed(let what): what.description
        case .unexpected(let kind): "a frame of kind \(kind) in the wrong place"
        case .corruptChunk(let offset): "the chunk at byte \(offset) of a snapshot has a wrong checksum"
        case .chunkOutOfOrder(let offset, let expected):
            "the chunk at byte \(offset) of a snapshot, where byte \(expected) follows"
        case .offset(let offset): "byte \(offset) of a snapshot, which it cannot be"
        }
    }
}
