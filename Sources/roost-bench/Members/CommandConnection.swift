import Foundation
import RESP

/// A blocking client of one node. Belongs to one thread at a time.
final class CommandConnection {
    private let connection: LoopbackConnection
    private var parser = ReplyParser()

    /// - Throws: `BenchError` if nobody listens.
    init(port: UInt16) throws {
        guard let open = LoopbackConnection(port: port) else { throw BenchError("nobody listens on port \(port)") }
        connection = open
    }

    func callAsFunction(_ words: String...) throws -> Reply { try pipeline([words])[0] }

    /// Sends all in one write, and gives as many replies.
    func pipeline(_ commands: [[String]]) throws -> [Reply] {
        var text = ""
        for words in commands {
            text += "*\(words.count)\r\n"
            for word in words { text += "$\(word.utf8.count)\r\n\(word)\r\n" }
        }
        guard connection.send(text) else { throw BenchError("a connection broke") }
        return try commands.map { _ in try receive() }
    }

    private func receive() throws -> Reply {
        while true {
            if let reply = try? parser.next() { return reply }
            guard let bytes = connection.receive() else {
                throw BenchError("a connection broke, or was silent for two seconds")
            }
            parser.append(bytes)
        }
    }
}

/// `ROOST.STATUS`, as far as it is read here.
struct NodeStatus: Decodable {
    var node: UInt64
    var role: String
    var term: UInt64
    var leader: UInt64
    var voters: [UInt64]

    static func of(_ port: UInt16) -> NodeStatus? {
        guard let text = try? CommandConnection(port: port)("ROOST.STATUS").text else { return nil }
        return try? JSONDecoder().decode(NodeStatus.self, from: Data(text.utf8))
    }
}
