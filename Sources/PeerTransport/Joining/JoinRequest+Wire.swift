import ByteCoding
import Raft

/// The body of a hello that asks to join; all integers little-endian.
///
/// ```
/// 0             1             9                  10
/// | purpose (3) | incarnation | wants an id 0, 1 | id | cluster name, peer, redis, HTTP address: each length u32, UTF-8
///   u8            u64           u8                 u64
/// ```
extension HandshakeRecord {
    init(join request: JoinRequest) {
        var writer = ByteWriter()
        writer.append(HelloPurpose.join.rawValue)
        writer.append(request.incarnation)
        writer.append(UInt8(request.wantedNode == nil ? 0 : 1))
        writer.append(request.wantedNode?.rawValue ?? 0)
        for text in [
            request.clusterName, request.advertisedPeer, request.advertisedRedis, request.advertisedHTTP,
        ] {
            writer.appendLengthPrefixed(Bytes(text))
        }
        self.init(kind: .hello, body: writer.take())
    }

    /// - Precondition: `kind` is `.hello`, the version is ours and the purpose `.join`.
    func joinRequest() throws(MalformedBytes) -> JoinRequest {
        var reader = ByteReader(body)
        _ = try reader.u8("purpose")
        let incarnation = try reader.u64("incarnation")
        let wantsID = try reader.u8("flag of the wanted id")
        let wanted = NodeID(try reader.u64("wanted id"))
        guard wantsID <= 1, wantsID == 1 || wanted == NodeID(0) else { throw MalformedBytes("wanted id", at: 9) }
        let request = JoinRequest(
            clusterName: Self.line(try reader.lengthPrefixed("cluster name")), incarnation: incarnation,
            wantedNode: wantsID == 1 ? wanted : nil,
            advertisedPeer: Self.line(try reader.lengthPrefixed("peer address")),
            advertisedRedis: Self.line(try reader.lengthPrefixed("redis address")),
            advertisedHTTP: Self.line(try reader.lengthPrefixed("HTTP address")))
        guard reader.isAtEnd else { throw MalformedBytes("end of join request", at: reader.offset) }
        return request
    }
}
