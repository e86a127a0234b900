public import ByteCoding

/// How a message looks between nodes; all integers little-endian.
///
/// ```
/// version u8 | kind u8 | group u64 | from u64 | to u64 | term u64 | body
///
/// kind + 128: the sender may not vote
///
/// preVoteRequest                  last term u64 | last index u64
/// voteRequest                     last term u64 | last index u64 | is transfer u8 (0 or 1)
/// preVoteResponse, voteResponse   granted u8 (0 or 1)
/// appendRequest                   previous term u64 | previous index u64 | commit u64 | count u32 | count entries
/// appendAccepted                  matched u64
/// appendRejected                  previous u64 | hint term u64 | hint index u64
/// heartbeat                       commit u64 | round u64 | truncatable u64
/// heartbeatResponse               round u64
/// readIndexRequest                incarnation u64 | count u64
/// readIndexResponse               incarnation u64 | count u64 | has index u8 (0 or 1) | index u64 if it has
/// timeoutNow                      nothing
/// commitNotice                    term u64 | index u64
///
/// entry                           kind u8 | term u64 | checksum u32 | length u32 | payload
/// ```
///
/// An entry's index is not sent: the first follows `previous`, each other the one before it. Checksums travel as the
/// entry's leader made them and are judged by the core, not here.
extension Message {
    /// The layout that this build writes, and the only one that it reads.
    public static let wireVersion: UInt8 = 2

    /// Bytes before the body.
    private static let headerBytes = 2 + 4 * 8
    /// Set in the kind of a message whose sender may not vote.
    private static let banMark: UInt8 = 0x80
    /// Bytes of an entry before its payload.
    fileprivate static let entryHeaderBytes = 1 + 8 + 4 + 4

    /// How many bytes `encode` will append.
    public var encodedByteCount: Int { Self.headerBytes + bodyByteCount }

    private var bodyByteCount: Int {
        switch body {
        case .preVoteRequest: 16
        case .voteRequest: 17
        case .preVoteResponse, .voteResponse: 1
        case .appendRequest(_, let entries, _):
            entries.reduce(28) { $0 + Self.entryHeaderBytes + $1.payload.count }
        case .appendAccepted: 8
        case .appendRejected: 24
        case .heartbeat: 24
        case .heartbeatResponse: 8
        case .readIndexRequest: 16
        case .readIndexResponse(_, let index): index == nil ? 17 : 25
        case .timeoutNow: 0
        case .commitNotice: 16
        }
    }

    /// Appends the message to what the writer holds.
    ///
    /// - Precondition: the entries of an append request are contiguous and follow `previous`; payloads are < 4 GiB.
    public func encode(into writer: inout ByteWriter) {
        writer.append(Self.wireVersion)
        writer.append(Kind(body).rawValue | (mayVote ? 0 : Self.banMark))
        writer.append(group.rawValue)
        writer.append(from.rawValue)
        writer.append(to.rawValue)
        writer.append(term.rawValue)
        switch body {
        case .preVoteRequest(let last):
            writer.append(last)
        case .voteRequest(let last, let isTransfer):
            writer.append(last)
            writer.append(UInt8(isTransfer ? 1 : 0))
        case .preVoteResponse(let granted), .voteResponse(let granted):
            writer.append(UInt8(granted ? 1 : 0))
        case .appendRequest(let previous, let entries, let commit):
            writer.append(previous)
            writer.append(commit.rawValue)
            writer.append(entries, following: previous.index)
        case .appendAccepted(let matched):
            writer.append(matched.rawValue)
        case .appendRejected(let previous, let hint):
            writer.append(previous.rawValue)
            writer.append(hint)
        case .heartbeat(let commit, let round, let truncatable):
            writer.append(commit.rawValue)
            writer.append(round)
            writer.append(truncatable.rawValue)
        case .heartbeatResponse(let round):
            writer.append(round)
        case .readIndexRequest(let token):
            writer.append(token)
        case .readIndexResponse(let token, let index):
            writer.append(token)
            writer.append(UInt8(index == nil ? 0 : 1))
            if let index { writer.append(index.rawValue) }
        case .timeoutNow: break
        case .commitNotice(let id): writer.append(id)
        }
    }

    /// Reads one message from the front of what is left; payloads share the reader's storage.
    ///
    /// Bytes that follow the message stay unread: whoever framed it checks `isAtEnd`.
    ///
    /// - Throws: `MalformedBytes` for another version, an unknown kind, a field cut short or a value that the layout
    ///   forbids. Scope: the link; its peer speaks something else.
    public init(decoding reader: inout ByteReader) throws(MalformedBytes) {
        let start = reader.offset
        guard try reader.u8("message version") == Self.wireVersion else {
            throw MalformedBytes("message version", at: start)
        }
        let kindOffset = reader.offset
        let marked = try reader.u8("message kind")
        guard let kind = Kind(rawValue: marked & ~Self.banMark) else {
            throw MalformedBytes("message kind", at: kindOffset)
        }
        self.init(
            group: GroupID(try reader.u64("group")), from: NodeID(try reader.u64("sender")),
            to: NodeID(try reader.u64("receiver")), term: Term(try reader.u64("term")),
            mayVote: marked & Self.banMark == 0,
            body: try Body(decoding: &reader, kind: kind))
    }

    /// The byte that says which body follows. Numbers are never reused.
    fileprivate enum Kind: UInt8 {
        case preVoteRequest = 1
        case preVoteResponse = 2
        case voteRequest = 3
        case voteResponse = 4
        case appendRequest = 5
        case appendAccepted = 6
        case appendRejected = 7
        case heartbeat = 8
        case heartbeatResponse = 9
        case readIndexRequest = 10
        case readIndexResponse = 11
        case timeoutNow = 12
        case commitNotice = 13

        init(_ body: Body) {
            self =
                switch body {
                case .preVoteRequest: .preVoteRequest
                case .preVoteResponse: .preVoteResponse
                case .voteRequest: .voteRequest
                case .voteResponse: .voteResponse
                case .appendRequest: .appendRequest
                case .appendAccepted: .appendAccepted
                case .appendRejected: .appendRejected
                case .heartbeat: .heartbeat
                case .heartbeatResponse: .heartbeatResponse
                case .readIndexRequest: .readIndexRequest
                case .readIndexResponse: .readIndexResponse
                case .timeoutNow: .timeoutNow
                case .commitNotice: .commitNotice
                }
        }
    }
}

extension Message.Body {
    fileprivate init(decoding reader: inout ByteReader, kind: Message.Kind) throws(MalformedBytes) {
        switch kind {
        case .preVoteRequest: self = .preVoteRequest(last: try reader.entryID("last entry"))
        case .preVoteResponse: self = .preVoteResponse(granted: try reader.flag("grant"))
        case .voteRequest:
            self = .voteRequest(last: try reader.entryID("last entry"), isTransfer: try reader.flag("transfer flag"))
        case .voteResponse: self = .voteResponse(granted: try reader.flag("grant"))
        case .appendRequest:
            let previous = try reader.entryID("previous entry")
            let commit = LogIndex(try reader.u64("commit index"))
            self = .appendRequest(
                previous: previous, entries: try reader.entries(following: previous.index), commit: commit)
        case .appendAccepted: self = .appendAccepted(matched: LogIndex(try reader.u64("matched index")))
        case .appendRejected:
            self = .appendRejected(
                previous: LogIndex(try reader.u64("previous index")), hint: try reader.entryID("hint"))
        case .heartbeat:
            self = .heartbeat(
                commit: LogIndex(try reader.u64("commit index")), round: try reader.u64("round"),
                truncatable: LogIndex(try reader.u64("truncatable index")))
        case .heartbeatResponse: self = .heartbeatResponse(round: try reader.u64("round"))
        case .readIndexRequest: self = .readIndexRequest(try reader.readToken())
        case .readIndexResponse:
            let token = try reader.readToken()
            let index = try reader.flag("read index flag") ? LogIndex(try reader.u64("read index")) : nil
            self = .readIndexResponse(token, index: index)
        case .timeoutNow: self = .timeoutNow
        case .commitNotice: self = .commitNotice(try reader.entryID("committed entry"))
        }
    }
}

extension ByteWriter {
    fileprivate mutating func append(_ id: EntryID) {
        append(id.term.rawValue)
        append(id.index.rawValue)
    }

    fileprivate mutating func append(_ token: ReadToken) {
        append(token.incarnation)
        append(token.count)
    }

    fileprivate mutating func append(_ entries: [Entry], following previous: LogIndex) {
        append(UInt32(entries.count))
        var expected = previous
        for entry in entries {
            expected = expected.next
            precondition(entry.index == expected, "entry \(entry.id) in the place of index \(expected)")
            append(entry.kind.rawValue)
            append(entry.term.rawValue)
            append(entry.checksum)
            appendLengthPrefixed(entry.payload)
        }
    }
}

extension ByteReader {
    fileprivate mutating func entryID(_ what: StaticString) throws(MalformedBytes) -> EntryID {
        EntryID(term: Term(try u64(what)), index: LogIndex(try u64(what)))
    }

    fileprivate mutating func readToken() throws(MalformedBytes) -> ReadToken {
        ReadToken(incarnation: try u64("read token"), count: try u64("read token"))
    }

    fileprivate mutating func flag(_ what: StaticString) throws(MalformedBytes) -> Bool {
        let at = offset
        switch try u8(what) {
        case 0: return false
        case 1: return true
        default: throw MalformedBytes(what.description, at: at)
        }
    }

    /// A count, then that many entries. Reserves no more than the bytes that are there could hold.
    fileprivate mutating func entries(following previous: LogIndex) throws(MalformedBytes) -> [Entry] {
        let at = offset
        let count = Int(try u32("entry count"))
        guard count <= remaining / Message.entryHeaderBytes,
            !previous.rawValue.addingReportingOverflow(UInt64(count)).overflow
        else { throw MalformedBytes("entry count", at: at) }
        var entries: [Entry] = []
        entries.reserveCapacity(count)
        var index = previous
        for _ in 0..<count {
            index = index.next
            entries.append(try entry(at: index))
        }
        return entries
    }

    private mutating func entry(at index: LogIndex) throws(MalformedBytes) -> Entry {
        let kindOffset = offset
        guard let kind = Entry.Kind(rawValue: try u8("entry kind")) else {
            throw MalformedBytes("entry kind", at: kindOffset)
        }
        let term = Term(try u64("entry term"))
        let checksum = try u32("entry checksum")
        return Entry(
            id: EntryID(term: term, index: index), kind: kind, payload: try lengthPrefixed("entry payload"),
            checksum: checksum)
    }
}
