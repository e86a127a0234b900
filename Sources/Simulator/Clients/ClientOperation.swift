import ByteCoding
import KeyValue

/// What a client asks for.
enum ClientOperation: Hashable {
    case openSession
    case get(key: Int)
    case set(key: Int, value: Bytes)
    case append(key: Int, token: Bytes)
    case delete(key: Int)
    case compareAndSet(key: Int, expected: Bytes, value: Bytes)

    var key: Int? {
        switch self {
        case .openSession: nil
        case .get(let key), .set(let key, _), .append(let key, _), .delete(let key), .compareAndSet(let key, _, _): key
        }
    }

    var isRead: Bool {
        if case .get = self { return true }
        return false
    }

    static func name(of key: Int) -> Bytes { Bytes("key\(key)") }

    /// The command as it will stand in the log, without an origin yet.
    ///
    /// - Precondition: not a read.
    func segment(once: SessionRequest?) -> Segment {
        var writer = SegmentWriter(reservingCapacity: 256)
        if let once {
            writer.once(once.session, sequence: once.sequence) { write(to: &$0) }
        } else {
            write(to: &writer)
        }
        return writer.finish()
    }

    private func write(to writer: inout SegmentWriter) {
        guard let key else { return writer.openSession(Self.sessionLimits) }
        Self.name(of: key).withUnsafeBytes { name in
            switch self {
            case .openSession, .get: preconditionFailure("\(self) is no write of a key")
            case .set(_, let value): value.withUnsafeBytes { writer.set(key: name, value: $0) }
            case .append(_, let token): token.withUnsafeBytes { writer.append(key: name, suffix: $0) }
            case .delete: writer.delete(count: 1) { _ in name }
            case .compareAndSet(_, let expected, let value):
                expected.withUnsafeBytes { expected in
                    value.withUnsafeBytes { writer.set(key: name, value: $0, condition: .ifEqual(expected)) }
                }
            }
        }
    }

    /// Small, so that windows slide and sessions are evicted.
    private static let sessionLimits = SessionLimits(idleMilliseconds: 3_000, window: 3, maxSessions: 5)
}

/// Names a request for ever, so that it can be sent again.
struct SessionRequest: Hashable {
    var session: SessionID
    var sequence: UInt64
}

extension ClientOperation: CustomStringConvertible {
    var description: String {
        switch self {
        case .openSession: "open session"
        case .get(let key): "get key\(key)"
        case .set(let key, let value): "set key\(key) \(value.text)"
        case .append(let key, let token): "append key\(key) \(token.text)"
        case .delete(let key): "delete key\(key)"
        case .compareAndSet(let key, let expected, let value): "set key\(key) \(value.text) if \(expected.text)"
        }
    }
}
