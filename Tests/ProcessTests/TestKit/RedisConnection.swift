import RESP

typealias Command = [String]

/// A blocking client of one node, as plain as redis-cli: no retries, no redirects. Belongs to one thread at a time.
final class RedisConnection {
    let socket: ClientSocket
    private var parser = ReplyParser()

    init(port: UInt16, timeout: Duration = .patience) throws {
        socket = try ClientSocket(port: port, timeout: timeout)
    }

    func callAsFunction(_ command: String...) throws -> Reply { try call(command) }

    func call(_ command: Command) throws -> Reply {
        try socket.write(encode(command))
        return try receive()
    }

    /// Sends all in one write, then reads as many replies.
    func pipeline(_ commands: [Command]) throws -> [Reply] {
        try socket.write(commands.flatMap(encode))
        return try commands.map { _ in try receive() }
    }

    /// The next reply.
    ///
    /// - Throws: `.closed` at the end of the stream, also in the middle of a reply; `.malformed` for bytes that are not
    ///   RESP.
    func receive() throws -> Reply {
        while true {
            do {
                if let reply = try parser.next() { return reply }
            } catch {
                throw ConnectionError.malformed("\(error)")
            }
            let bytes = try socket.read()
            guard !bytes.isEmpty else { throw ConnectionError.closed }
            parser.append(bytes)
        }
    }

    func close() { socket.close() }
}

/// The command as clients send it: an array of bulk strings.
func encode(_ command: Command) -> [UInt8] {
    var bytes = Array("*\(command.count)\r\n".utf8)
    for argument in command {
        bytes += Array("$\(argument.utf8.count)\r\n".utf8)
        bytes += Array(argument.utf8)
        bytes += [0x0D, 0x0A]
    }
    return bytes
}

extension Reply {
    static let ok = Reply.simple("OK")

    static func text(_ text: String) -> Reply { .bulk(Array(text.utf8)) }

    var integer: Int64? {
        if case .integer(let value) = self { value } else { nil }
    }

    var errorText: String? {
        if case .error(let text) = self { text } else { nil }
    }

    var elements: [Reply]? {
        if case .array(let elements) = self { elements } else { nil }
    }

    /// A map of RESP3, or the flat array that RESP2 has for one.
    var fields: [String: Reply]? {
        switch self {
        case .map(let pairs):
            return Dictionary(pairs.map { ($0.key.text ?? "?", $0.value) }) { first, _ in first }
        case .array(let flat) where flat.count.isMultiple(of: 2):
            let pairs = stride(from: 0, to: flat.count, by: 2).map { (flat[$0].text ?? "?", flat[$0 + 1]) }
            return Dictionary(pairs) { first, _ in first }
        default:
            return nil
        }
    }
}
