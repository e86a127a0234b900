import Foundation
import RESP

/// A data directory with known content, to be damaged again and again.
struct Specimen {
    /// What each key holds; `nil`: it was deleted.
    private(set) var content: [String: String?] = [:]
    private let keys = 400

    /// Fills the node so that its files are of every kind, and leaves some of the newest only in the write-ahead log.
    mutating func fill(_ node: DaemonProcess) throws {
        let connection = try node.connect(timeout: .seconds(30))
        for pass in 0..<3 {
            for number in 0..<keys {
                let key = "key-\(number)"
                if pass == 1, number.isMultiple(of: 7) {
                    try perform(["DEL", key], connection)
                    content[key] = .some(nil)
                } else if pass == 0 || number % 5 == pass {
                    let value = "value-\(pass)-\(number)-" + String(repeating: "\(number % 10)", count: number % 60)
                    try perform(["SET", key, value], connection)
                    content[key] = value
                }
            }
        }
    }

    private func perform(_ command: Command, _ connection: RedisConnection) throws {
        let reply = try connection.call(command)
        guard reply.errorText == nil else { throw TestFailure("\(command) was answered \(reply)") }
    }

    /// Reads everything at the node.
    ///
    /// - Returns: wrong answers, in words; no answer is none of them.
    func wrongAnswers(at node: DaemonProcess) -> [String] {
        guard let connection = try? node.connect(timeout: .seconds(20)) else { return [] }
        var wrong: [String] = []
        let sorted = content.sorted { $0.key < $1.key }
        for (key, value) in sorted {
            guard let reply = try? connection("GET", key) else { return wrong }
            if reply.errorText != nil { continue }
            let right = value.map { Reply.text($0) } ?? .null
            if reply != right { wrong.append("GET \(key) = \(reply), not \(right)") }
        }
        if let count = try? connection("DBSIZE").integer, count != sorted.count(where: { $0.value != nil }) {
            wrong.append("DBSIZE = \(count)")
        }
        return wrong
    }
}

/// A kind of file of a data directory.
enum FileKind: String, CaseIterable {
    case log, table, manifest, current, options, identity, mark, lock, reserve, infoLog, other

    init(_ path: String) {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        self =
            switch name {
            case "CURRENT": .current
            case "IDENTITY": .identity
            case "initialized": .mark
            case "LOCK": .lock
            case "RESERVE": .reserve
            case _ where name.hasPrefix("MANIFEST"): .manifest
            case _ where name.hasPrefix("OPTIONS"): .options
            case _ where name.hasPrefix("LOG"): .infoLog
            case _ where name.hasSuffix(".log"): .log
            case _ where name.hasSuffix(".sst"): .table
            default: .other
            }
    }
}

/// One bit of one file, turned.
struct Flip: CustomStringConvertible {
    let path: String
    let offset: Int
    let bit: UInt8
    var kind: FileKind { FileKind(path) }
    var name: String { path.split(separator: "/").last.map(String.init) ?? path }

    /// Chooses a kind of file that is there, then a file, then a place.
    init(in directory: String, _ random: inout SplitMix64) throws {
        let all = (FileManager.default.enumerator(atPath: directory)?.allObjects as? [String] ?? []).sorted()
            .map { "\(directory)/\($0)" }.filter { (try? Self.byteCount($0)) ?? 0 > 0 }
        let kinds = FileKind.allCases.filter { kind in all.contains { FileKind($0) == kind } }
        // Tables and logs hold what matters.
        let weighted = kinds + [.table, .table, .log, .log, .manifest].filter(kinds.contains)
        guard let kind = weighted.randomElement(using: &random),
            let path = all.filter({ FileKind($0) == kind }).randomElement(using: &random)
        else { throw TestFailure("no file in \(directory)") }
        self.path = path
        offset = Int.random(in: 0..<(try Self.byteCount(path)), using: &random)
        bit = 1 << UInt8.random(in: 0..<8, using: &random)
    }

    func perform() throws {
        let file = open(path, O_RDWR | O_CLOEXEC)
        guard file >= 0 else { throw SystemError("open(\(path))") }
        defer { close(file) }
        var byte: UInt8 = 0
        guard pread(file, &byte, 1, off_t(offset)) == 1 else { throw SystemError("read \(path)") }
        byte ^= bit
        guard pwrite(file, &byte, 1, off_t(offset)) == 1 else { throw SystemError("write \(path)") }
    }

    /// Of a regular file; 0 of anything else.
    private static func byteCount(_ path: String) throws -> Int {
        var status = stat()
        guard stat(path, &status) == 0 else { throw SystemError("stat \(path)") }
        return status.st_mode & S_IFMT == S_IFREG ? Int(status.st_size) : 0
    }

    var description: String { "\(path) byte \(offset) bit \(bit)" }
}
