import Foundation
import Synchronization

@testable import roost_bench

/// Answers SET and GET out of a dictionary, or as the test says. A thread per connection; ends when it is stopped.
final class ScriptedServer: Sendable {
    let port: UInt16
    private let listener: Int32
    private let pieces: Int?
    private let script: (@Sendable ([UInt8]) -> String?)?
    private let store = Mutex<[[UInt8]: [UInt8]]>([:])
    private let open = Mutex<Set<Int32>>([])

    /// - Parameters:
    ///   - pieces: bytes of one send; default: everything at once.
    ///   - script: the reply to each command; nil closes the connection.
    init(pieces: Int? = nil, script: (@Sendable ([UInt8]) -> String?)? = nil) throws {
        (self.pieces, self.script) = (pieces, script)
        port = try Port.free()
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard Port.withAddress(port, { bind(listener, $0, $1) }) == 0, listen(listener, 64) == 0 else {
            throw BenchError("the test's server cannot listen")
        }
        Thread.detachNewThread { [self] in accept() }
    }

    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
        open.withLock { for connection in $0 { shutdown(connection, Int32(SHUT_RDWR)) } }
    }

    private func accept() {
        while true {
            let connection = Glibc.accept(listener, nil, nil)
            guard connection >= 0 else { return }
            _ = open.withLock { $0.insert(connection) }
            Thread.detachNewThread { [self] in
                serve(connection)
                _ = open.withLock { $0.remove(connection) }
                close(connection)
            }
        }
    }

    private func serve(_ connection: Int32) {
        var received: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { return }
            received += buffer[..<count]
            var replies: [UInt8] = []
            var start = 0
            while let (words, end) = command(received, from: start) {
                start = end
                guard let reply = answer(words) else { return }
                replies += reply
            }
            received.removeFirst(start)
            send(replies, connection)
        }
    }

    private func send(_ bytes: [UInt8], _ connection: Int32) {
        for start in stride(from: 0, to: bytes.count, by: pieces ?? max(1, bytes.count)) {
            let piece = Array(bytes[start..<min(start + (pieces ?? bytes.count), bytes.count)])
            _ = Glibc.send(connection, piece, piece.count, Int32(MSG_NOSIGNAL))
        }
    }

    private func answer(_ words: [[UInt8]]) -> [UInt8]? {
        if let script { return script(words[1]).map { Array($0.utf8) } }
        if words[0] == Array("SET".utf8) {
            store.withLock { $0[words[1]] = words[2] }
            return Array("+OK\r\n".utf8)
        }
        guard let value = store.withLock({ $0[words[1]] }) else { return Array("$-1\r\n".utf8) }
        return Array("$\(value.count)\r\n".utf8) + value + Array("\r\n".utf8)
    }

    /// The words of one command and where it ends, nil while it is not there as a whole.
    private func command(_ bytes: [UInt8], from start: Int) -> (words: [[UInt8]], end: Int)? {
        var position = start
        func number() -> Int? {
            guard let end = bytes[position...].firstIndex(of: UInt8(ascii: "\n")) else { return nil }
            defer { position = end + 1 }
            return Int(String(decoding: bytes[(position + 1)..<(end - 1)], as: UTF8.self))
        }
        guard position < bytes.count, let count = number() else { return nil }
        var words: [[UInt8]] = []
        for _ in 0..<count {
            guard position < bytes.count, let length = number(), position + length + 2 <= bytes.count else {
                return nil
            }
            words.append(Array(bytes[position..<position + length]))
            position += length + 2
        }
        return (words, position)
    }
}
