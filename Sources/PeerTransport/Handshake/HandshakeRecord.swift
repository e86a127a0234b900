import ByteCoding
import Raft

/// What the two sides of a new connection say before any frame; all integers little-endian.
///
/// ```
/// 0       8         10     12       16
/// | magic | version | kind | length | body (length bytes)
///   u64     u16       u16    u32
///
/// hello       dialling side first: purpose u8 (1 link, 2 snapshot) | node id that it wants u64 | identity
///                                  purpose u8 (3 join) | join request
/// welcome     the answer:          identity
/// refusal     another answer:      one sentence in UTF-8, then the end of the connection; likewise
/// removed                          the node that dials was a member and never will be again:
///                                  length u32 | identity | one sentence; believed only of whom the hello wanted
/// notYet                           the node that dials is not known here yet
/// anotherDirectory                 the node that dials was here before with another data directory
/// joined, redirect, joinRefused    the answers to a join request, see JoinAnswer+Wire.swift
/// identity                         cluster u64 | node u64 | incarnation u64 | flags u8 (1: has data)
///                                  | max frame bytes u64 | max message bytes u64
///                                  | cluster name, redis, peer, HTTP address: each length u32, UTF-8
/// ```
///
/// The first 16 bytes, the numbers of hello and refusal, and the refusal itself are the same in every version of the
/// protocol, and every connection begins with a hello: so nodes of different versions can tell each other why they part.
struct HandshakeRecord: Hashable, Sendable {
    /// The protocol that this build speaks, and the only one: the handshake and the frames after it. Version 1 had neither
    /// purposes nor changes of the membership; version 2 did not say who says "removed", and knew nothing of room on disks.
    static let version: UInt16 = 3
    /// "ROOSTP" between a byte that is no text and a line end that a text conversion would change.
    static let magic: [UInt8] = [0x89, 0x52, 0x4F, 0x4F, 0x53, 0x54, 0x50, 0x0A]
    static let headerByteCount = 16
    /// No record is longer, header included, but the answer to a join request.
    static let maxByteCount = 4096
    static let maxBodyByteCount = maxByteCount - headerByteCount
    /// The answer to a join request lists all members.
    static let maxJoinedBodyByteCount = 1 << 20

    /// Numbers are never reused.
    enum Kind: UInt16, Sendable {
        case hello = 1
        case welcome = 2
        case refusal = 3
        case removed = 4
        case notYet = 5
        case joined = 6
        case redirect = 7
        case joinRefused = 8
        case anotherDirectory = 9
    }

    var version: UInt16
    var kind: Kind
    var body: Bytes

    init(version: UInt16 = Self.version, kind: Kind, body: Bytes) {
        precondition(
            body.count <= (kind == .joined ? Self.maxJoinedBodyByteCount : Self.maxBodyByteCount),
            "a handshake of \(body.count) bytes: the cluster name and the advertised addresses are too long")
        self.version = version
        self.kind = kind
        self.body = body
    }

    func encode() -> Bytes {
        var writer = ByteWriter(reservingCapacity: Self.headerByteCount + body.count)
        for byte in Self.magic { writer.append(byte) }
        writer.append(version)
        writer.append(kind.rawValue)
        writer.append(UInt32(body.count))
        writer.append(body)
        return writer.take()
    }
}

/// What both sides tell about themselves.
struct Introduction: Hashable, Sendable {
    var identity: PeerIdentity
    /// The largest frame and message that this side takes.
    var maxFrameBytes: Int
    var maxMessageBytes: Int
}

/// What a connection is for. Numbers are never reused.
enum HelloPurpose: UInt8, Sendable {
    /// Messages, from the dialling side to the other.
    case link = 1
    /// One snapshot, from the dialling side to the other.
    case snapshot = 2
    /// The dialling side has no id yet and asks for one.
    case join = 3
}

/// What the dialling side says first, if it is a member.
struct Hello: Hashable, Sendable {
    /// `.link` or `.snapshot`.
    var purpose = HelloPurpose.link
    /// Whom it means to reach.
    var wanted: NodeID
    var introduction: Introduction
}

extension HandshakeRecord {
    init(hello: Hello) {
        var writer = ByteWriter()
        writer.append(hello.purpose.rawValue)
        writer.append(hello.wanted.rawValue)
        hello.introduction.encode(into: &writer)
        self.init(kind: .hello, body: writer.take())
    }

    init(welcome: Introduction) {
        var writer = ByteWriter()
        welcome.encode(into: &writer)
        self.init(kind: .welcome, body: writer.take())
    }

    /// - Parameter own: who says so.
    init(_ refusal: Refusal, by own: Introduction) {
        var writer = ByteWriter()
        if refusal.kind == .removed {
            var introduction = ByteWriter()
            own.encode(into: &introduction)
            writer.appendLengthPrefixed(introduction.take())
        }
        let sentence = Bytes(refusal.sentence)
        writer.append(sentence.slice(0..<min(sentence.count, Self.maxBodyByteCount - writer.count)))
        self.init(kind: refusal.kind.record, body: writer.take())
    }

    /// The sentence as it goes into a record or a frame: cut to what a record holds.
    static func body(ofRefusal sentence: Bytes) -> Bytes {
        sentence.slice(0..<min(sentence.count, maxBodyByteCount))
    }

    /// - Precondition: `kind` is `.hello` and the version is ours.
    func purpose() throws(MalformedBytes) -> HelloPurpose {
        var reader = ByteReader(body)
        guard let purpose = HelloPurpose(rawValue: try reader.u8("purpose")) else {
            throw MalformedBytes("purpose", at: 0)
        }
        return purpose
    }

    /// - Precondition: `kind` is `.hello`, the version is ours and the purpose not `.join`.
    func hello() throws(MalformedBytes) -> Hello {
        let purpose = try purpose()
        precondition(purpose != .join, "a join request is no hello of a member")
        var reader = ByteReader(body)
        _ = try reader.u8("purpose")
        return Hello(
            purpose: purpose, wanted: NodeID(try reader.u64("wanted node")),
            introduction: try Introduction(decoding: &reader))
    }

    /// - Precondition: `kind` is `.welcome` and the version is ours.
    func welcome() throws(MalformedBytes) -> Introduction {
        var reader = ByteReader(body)
        return try Introduction(decoding: &reader)
    }

    /// What the record refuses, `nil` if it is another answer.
    ///
    /// A removal that cannot be read, as one of another version, is a refusal like others.
    var refusal: Refusal? {
        guard let kind = Refusal.Kind.allCases.first(where: { $0.record == kind }) else { return nil }
        guard kind == .removed else { return Refusal(kind, sentence) }
        guard version == Self.version, let removal = try? removal() else { return Refusal(.refused, sentence) }
        return removal
    }

    private func removal() throws(MalformedBytes) -> Refusal {
        var reader = ByteReader(body)
        var introduction = ByteReader(try reader.lengthPrefixed("introduction"))
        let answerer = try Introduction(decoding: &introduction).identity
        return Refusal(.removed, Self.line(try reader.run(reader.remaining, "sentence")), by: answerer)
    }

    /// The sentence of a refusal, fit for one line of a log whoever sent it.
    var sentence: String { Self.line(body) }

    /// Text of a stranger on one line, without what a terminal would obey.
    static func line(_ text: Bytes) -> String { text.text.filter { !$0.isNewline && $0 != "\0" && $0 != "\u{1B}" } }
}

extension Introduction {
    fileprivate func encode(into writer: inout ByteWriter) {
        writer.append(identity.clusterID)
        writer.append(identity.node.rawValue)
        writer.append(identity.incarnation)
        writer.append(UInt8(identity.hasData ? 1 : 0))
        writer.append(UInt64(maxFrameBytes))
        writer.append(UInt64(maxMessageBytes))
        for text in [
            identity.clusterName, identity.advertisedRedis, identity.advertisedPeer, identity.advertisedHTTP,
        ] {
            writer.appendLengthPrefixed(Bytes(text))
        }
    }

    fileprivate init(decoding reader: inout ByteReader) throws(MalformedBytes) {
        let clusterID = try reader.u64("cluster")
        let node = NodeID(try reader.u64("node"))
        let incarnation = try reader.u64("incarnation")
        let flags = try reader.u8("identity flags")
        guard flags <= 1 else { throw MalformedBytes("identity flags", at: reader.offset - 1) }
        maxFrameBytes = Int(clamping: try reader.u64("largest frame"))
        maxMessageBytes = Int(clamping: try reader.u64("largest message"))
        guard maxFrameBytes >= PeerTransportLimits.smallestFrameLimit, maxMessageBytes >= maxFrameBytes else {
            throw MalformedBytes("limits", at: reader.offset - 16)
        }
        identity = PeerIdentity(
            clusterID: clusterID, clusterName: try reader.lengthPrefixed("cluster name").text, node: node,
            incarnation: incarnation, hasData: flags == 1,
            advertisedRedis: try reader.lengthPrefixed("redis address").text,
            advertisedPeer: try reader.lengthPrefixed("peer address").text,
            advertisedHTTP: try reader.lengthPrefixed("HTTP address").text)
        guard reader.isAtEnd else { throw MalformedBytes("end of identity", at: reader.offset) }
    }
}
