import ByteCoding
import Raft

/// The bodies of the answers to a join request; all integers little-endian.
///
/// ```
/// joined       node u64 | cluster u64 | cluster name | founders: count u32, u64 each | members: count u32, each
///              node u64 | incarnation u64 | peer, redis, HTTP address
/// redirect     port u16 | host
/// joinRefused  flags u8 (1: may try again) | sentence
/// ```
///
/// Texts are a length u32 and UTF-8.
extension HandshakeRecord {
    /// An acceptance that is too long for a record becomes a refusal.
    init(_ answer: JoinAnswer) {
        var writer = ByteWriter()
        let kind: Kind
        switch answer {
        case .accepted(let acceptance):
            kind = .joined
            acceptance.encode(into: &writer)
        case .redirect(let address):
            kind = .redirect
            writer.append(UInt16(clamping: address.port))
            writer.appendLengthPrefixed(Bytes(address.host))
        case .refused(let sentence, let mayTryAgain):
            kind = .joinRefused
            writer.append(UInt8(mayTryAgain ? 1 : 0))
            let text = Bytes(sentence)
            writer.appendLengthPrefixed(text.slice(0..<min(text.count, Self.maxBodyByteCount - 8)))
        }
        let limit = kind == .joined ? Self.maxJoinedBodyByteCount : Self.maxBodyByteCount
        guard writer.count <= limit else {
            self.init(.refused("the answer to the join request is longer than \(limit) bytes", mayTryAgain: false))
            return
        }
        self.init(kind: kind, body: writer.take())
    }

    /// Reads the answer to a join request.
    ///
    /// - Returns: `nil` if the record is none.
    /// - Precondition: the version is ours.
    func joinAnswer() throws(MalformedBytes) -> JoinAnswer? {
        var reader = ByteReader(body)
        let answer: JoinAnswer
        switch kind {
        case .joined: answer = .accepted(try JoinAcceptance(decoding: &reader))
        case .redirect:
            let port = Int(try reader.u16("port"))
            answer = .redirect(PeerAddress(host: Self.line(try reader.lengthPrefixed("host")), port: port))
        case .joinRefused:
            let flags = try reader.u8("refusal flags")
            guard flags <= 1 else { throw MalformedBytes("refusal flags", at: 0) }
            answer = .refused(Self.line(try reader.lengthPrefixed("sentence")), mayTryAgain: flags == 1)
        case .hello, .welcome, .refusal, .removed, .notYet, .anotherDirectory: return nil
        }
        guard reader.isAtEnd else { throw MalformedBytes("end of join answer", at: reader.offset) }
        return answer
    }
}

extension JoinAcceptance {
    /// What a member takes at least.
    private static let memberByteCount = 2 * 8 + 3 * 4

    fileprivate func encode(into writer: inout ByteWriter) {
        writer.append(node.rawValue)
        writer.append(clusterID)
        writer.appendLengthPrefixed(Bytes(clusterName))
        writer.append(UInt32(founders.count))
        for founder in founders { writer.append(founder.rawValue) }
        writer.append(UInt32(members.count))
        for member in members {
            writer.append(member.node.rawValue)
            writer.append(member.incarnation)
            for text in [member.advertisedPeer, member.advertisedRedis, member.advertisedHTTP] {
                writer.appendLengthPrefixed(Bytes(text))
            }
        }
    }

    fileprivate init(decoding reader: inout ByteReader) throws(MalformedBytes) {
        let node = NodeID(try reader.u64("node"))
        let clusterID = try reader.u64("cluster")
        let clusterName = HandshakeRecord.line(try reader.lengthPrefixed("cluster name"))
        var founders: [NodeID] = []
        for _ in 0..<(try reader.count("founder count", each: 8)) { founders.append(NodeID(try reader.u64("founder"))) }
        var members: [JoinMember] = []
        for _ in 0..<(try reader.count("member count", each: Self.memberByteCount)) {
            members.append(
                JoinMember(
                    node: NodeID(try reader.u64("member")), incarnation: try reader.u64("incarnation"),
                    advertisedPeer: HandshakeRecord.line(try reader.lengthPrefixed("peer address")),
                    advertisedRedis: HandshakeRecord.line(try reader.lengthPrefixed("redis address")),
                    advertisedHTTP: HandshakeRecord.line(try reader.lengthPrefixed("HTTP address"))))
        }
        self.init(node: node, clusterID: clusterID, clusterName: clusterName, founders: founders, members: members)
    }
}

extension ByteReader {
    /// A count of things that take at least so many bytes each; never trusted beyond what is there.
    fileprivate mutating func count(_ what: StaticString, each bytes: Int) throws(MalformedBytes) -> Int {
        let at = offset
        let count = Int(try u32(what))
        guard count <= remaining / bytes else { throw MalformedBytes(what.description, at: at) }
        return count
    }
}
