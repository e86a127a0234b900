public import ByteCoding

/// One entry of the log, immutable once appended.
///
/// The checksum is made once, by the leader that appends the entry, and goes with it: every follower checks it on
/// receipt, and the store writes it and checks it on every read.
public struct Entry: Hashable, Sendable {
    public enum Kind: UInt8, Sendable {
        /// Opaque bytes for the state machine.
        case normal = 1
        /// A leader's first entry in its term: committing it commits what earlier terms left (Raft paper, section 8).
        case noop = 2
        /// A `MembershipChange`, encoded.
        case membership = 3
    }

    public let id: EntryID
    public let kind: Kind
    public let payload: Bytes
    /// CRC-32C over group, index, kind, term and payload, so that a record in the wrong place is caught too.
    public let checksum: UInt32

    public var index: LogIndex { id.index }
    public var term: Term { id.term }

    /// Makes an entry and its checksum.
    public init(group: GroupID, id: EntryID, kind: Kind, payload: Bytes) {
        self.init(
            id: id, kind: kind, payload: payload,
            checksum: Entry.checksum(group: group, id: id, kind: kind.rawValue, payload: payload))
    }

    /// An entry as it was received or read; see `isIntact(in:)`.
    public init(id: EntryID, kind: Kind, payload: Bytes, checksum: UInt32) {
        self.id = id
        self.kind = kind
        self.payload = payload
        self.checksum = checksum
    }

    /// Whether the checksum fits the content.
    public func isIntact(in group: GroupID) -> Bool {
        checksum == Entry.checksum(group: group, id: id, kind: kind.rawValue, payload: payload)
    }

    /// The checksum of an entry, also of a kind that this version doesn't know.
    package static func checksum(group: GroupID, id: EntryID, kind: UInt8, payload: Bytes) -> UInt32 {
        var crc = CRC32C()
        crc.update(group.rawValue)
        crc.update(id.index.rawValue)
        crc.update(kind)
        crc.update(id.term.rawValue)
        crc.update(payload)
        return crc.value
    }

    /// What an entry counts against limits that are given in bytes: its payload and a flat 64 for everything else.
    public var footprintBytes: Int { payload.count + 64 }
}
