import ByteCoding

/// Reads the one handshake record at the start of a connection, from whatever pieces it comes in.
struct HandshakeDecoder: Sendable {
    /// The longest body that is taken.
    let maxBodyByteCount: Int
    private var received: [UInt8] = []

    init(maxBodyByteCount: Int = HandshakeRecord.maxBodyByteCount) { self.maxBodyByteCount = maxBodyByteCount }

    /// What was read: the record, and the bytes that came after it.
    struct Result: Hashable, Sendable {
        var record: HandshakeRecord
        var rest: Bytes
    }

    /// - Returns: `nil` while the record is incomplete.
    /// - Throws: as soon as the bytes cannot be a record any more: a stranger is turned away at its first byte.
    mutating func decode(_ read: UnsafeRawBufferPointer) throws(HandshakeError) -> Result? {
        received.append(contentsOf: read)
        let magic = HandshakeRecord.magic.prefix(received.count)
        guard received.prefix(magic.count) == magic else { throw .notRoost }
        guard received.count >= HandshakeRecord.headerByteCount else { return nil }
        var reader = ByteReader(Bytes(received))
        do throws(MalformedBytes) {
            _ = try reader.u64("magic")
            let version = try reader.u16("version")
            let kindNumber = try reader.u16("kind")
            let length = Int(try reader.u32("length"))
            guard let kind = HandshakeRecord.Kind(rawValue: kindNumber),
                length <= maxBodyByteCount
            else { throw MalformedBytes("handshake header", at: 8) }
            guard reader.remaining >= length else { return nil }
            let record = HandshakeRecord(version: version, kind: kind, body: try reader.run(length, "body"))
            received = []
            return Result(record: record, rest: try reader.run(reader.remaining, "rest"))
        } catch { throw .malformed(error) }
    }
}

/// Why what came is no handshake. Scope: the connection.
enum HandshakeError: Error, Hashable, Sendable {
    case notRoost
    case malformed(MalformedBytes)
}

extension HandshakeError: CustomStringConvertible {
    var description: String {
        switch self {
        case .notRoost: "what came is no handshake of a Roost peer"
        case .malformed(let what): "broken handshake: \(what)"
        }
    }
}
