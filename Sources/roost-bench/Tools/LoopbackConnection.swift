import Foundation
import RESP

/// A short conversation with a server on loopback. Blocks for at most two seconds per call.
struct LoopbackConnection: ~Copyable {
    private let descriptor: Int32

    init?(port: UInt16) {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var limit = timeval(tv_sec: 2, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
        let connected = Port.withAddress(port) { connect(descriptor, $0, $1) }
        if connected != 0 { return nil }
    }

    deinit { close(descriptor) }

    func send(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
    }

    /// `nil` at the end, and for an error.
    func receive() -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 16 << 10)
        let count = recv(descriptor, &bytes, bytes.count, 0)
        return count > 0 ? Array(bytes.prefix(count)) : nil
    }
}

/// Asks a server that speaks the Redis protocol for its role.
enum RedisProbe {
    enum Role: Equatable {
        case master
        case replica(of: UInt16)
    }

    static func role(port: UInt16) -> Role? {
        guard let connection = LoopbackConnection(port: port), connection.send("ROLE\r\n") else { return nil }
        var parser = ReplyParser()
        while let bytes = connection.receive() {
            parser.append(bytes)
            guard let reply = try? parser.next() else { continue }
            guard case .array(let fields) = reply, let name = fields.first?.text else { return nil }
            if name == "master" { return .master }
            guard fields.count > 2, case .integer(let port) = fields[2] else { return nil }
            return UInt16(exactly: port).map { .replica(of: $0) }
        }
        return nil
    }
}

/// etcd's HTTP form of its gRPC calls.
enum JSONGateway {
    static func post(_ path: String, _ body: String, port: UInt16) -> [String: Any]? {
        let request = "POST \(path) HTTP/1.0\r\nHost: localhost\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
        guard let connection = LoopbackConnection(port: port), connection.send(request) else { return nil }
        var text: [UInt8] = []
        while let bytes = connection.receive() { text += bytes }
        guard let body = String(decoding: text, as: UTF8.self).firstRange(of: "\r\n\r\n") else { return nil }
        let json = String(decoding: text, as: UTF8.self)[body.upperBound...]
        return try? JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any]
    }
}
