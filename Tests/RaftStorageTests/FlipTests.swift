import ByteCoding
import Foundation
import KeyValue
import Raft
import Testing

@testable import RaftStorage

/// One byte of one file of a directory is changed, at many places of every kind of file. Whatever the node answers then is
/// right, or an error.
@Suite("Flipped bytes")
struct FlipTests {
    /// Beginnings or ends of files' names.
    static let kinds = ["IDENTITY", "db/CURRENT", "MANIFEST", "OPTIONS", "log", "sst"]
    /// `ROOST_LONG=1`: thousands instead of hundreds in all.
    static let flipsPerKind = ProcessInfo.processInfo.environment["ROOST_LONG"] == "1" ? 500 : 48

    /// In a process of its own: RocksDB of Debian is built with assertions, and some damage ends in one. The process
    /// that dies so has answered nothing; a node would be started again, and end so again.
    @Test(arguments: kinds) func `a flipped byte never gives a wrong answer`(kind: String) async throws {
        let node = try LivedLog.killed()
        let report = node.root + "/report"
        var next = 0
        var aborts = 0
        while next < Self.flipsPerKind {
            let result = await #expect(processExitsWith: .failure, observing: [\.exitStatus]) {
                [root = node.root as String, kind = kind as String, next = next as Int] in
                // No time limit ends a child that hangs.
                alarm(120)
                try Flips(root: root, kind: kind).run(from: next)
                // A round that ends by itself ends here, and all others before.
                exit(64)
            }
            let lines = try String(contentsOfFile: report, encoding: .utf8).split(separator: "\n")
            // A child that got nowhere would be started for ever.
            try #require(lines.count > next || result?.exitStatus == .exitCode(64))
            next = lines.count
            guard result?.exitStatus != .exitCode(64) else { break }
            // The line of the flip that ended the process has no verdict yet.
            #expect(result?.exitStatus == .signal(SIGABRT), "\(kind): \(lines.last ?? "")")
            aborts += 1
        }
        let lines = try String(contentsOfFile: report, encoding: .utf8).split(separator: "\n")
        #expect(lines.count == Self.flipsPerKind)
        for line in lines { #expect(!line.contains("WRONG"), "\(kind): \(line)") }
        let refused = lines.filter { $0.contains("refused") }.count
        let harmless = lines.filter { $0.contains("right") }.count
        #expect(refused + harmless + aborts == Self.flipsPerKind, "\(lines)")
        print("\(kind): \(refused) refused, \(harmless) harmless, \(aborts) ended in an assertion of RocksDB")
        // A kind whose every byte may change unseen would show that nothing is read.
        if kind != "OPTIONS" { #expect(refused + aborts > 0) }
    }

    /// The reading itself can fail: without it the test above would pass for a store that answers anything.
    @Test func `another value, a missing entry and a lost vote are seen`() throws {
        let node = try LivedLog.killed()
        #expect(try LivedLog.readEverything(in: try node.copy()) == nil)
        func answer(_ change: (NodeStore) throws -> Void) throws -> String? {
            let changed = try TestNode()
            let store = try LivedLog.live(in: changed)
            try change(store)
            try store.close()
            return try LivedLog.readEverything(in: changed)
        }
        let state = HardStateRecord.encode(HardState(term: Term(3)), group: group)
        #expect(try answer { try $0.rocks.put(RaftKey.hardState(group), state) }?.contains("restored") == true)
        let other = try answer { store in
            let batch = store.state.makeBatch()
            batch.put(StateKey.user("key-3", group: group.rawValue), Bytes([0x10] + [UInt8](repeating: 0, count: 12)))
            try store.state.commit(batch)
        }
        #expect(other == "key key-3")
    }
}

/// The flips of one kind of file, in the process that may die of one. Before each flip a line is begun, afterwards it gets
/// its verdict, so that whoever comes next goes on behind the last one.
private struct Flips {
    let root: String
    let kind: String

    init(root: String, kind: String) {
        self.root = root
        self.kind = kind
    }

    func run(from first: Int) throws {
        let original = TestNode(existing: root)
        let names = try original.files(of: kind)
        for number in first..<FlipTests.flipsPerKind {
            // Even numbers hit the beginning of a file, where headers are.
            var random = SplitMix(state: UInt64(number) &* 7919 &+ UInt64(kind.utf8.count))
            let name = names[number % names.count]
            let node = try original.copy()
            var place = 0
            try node.edit(name) { bytes in
                let limit = number.isMultiple(of: 2) ? min(bytes.count, 128) : bytes.count
                place = Int.random(in: 0..<limit, using: &random)
                bytes[place] ^= UInt8(1) << UInt8.random(in: 0..<8, using: &random)
            }
            try write("\(number)\t\(name)\t\(place)\t", isFirst: number == 0)
            try write(verdict(node) + "\n")
        }
    }

    private func verdict(_ node: TestNode) -> String {
        do {
            return try LivedLog.readEverything(in: node).map { "WRONG: \($0)" } ?? "right"
        } catch {
            return "refused: \("\(error)".split(whereSeparator: \.isNewline).joined(separator: " "))"
        }
    }

    private func write(_ text: String, isFirst: Bool = false) throws {
        let path = root + "/report"
        if isFirst || !FileManager.default.fileExists(atPath: path) {
            try Data().write(to: URL(filePath: path))
        }
        let handle = try FileHandle(forWritingTo: URL(filePath: path))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data(text.utf8))
        try handle.close()
    }
}

extension TestNode {
    /// The files of a kind, by name or by what their names begin or end with.
    func files(of kind: String) throws -> [String] {
        if kind == "IDENTITY" || kind.hasPrefix("db/") { return [kind] }
        return try FileManager.default.contentsOfDirectory(atPath: path("db"))
            .filter { $0.hasPrefix(kind) || $0.hasSuffix("." + kind) }.sorted().map { "db/" + $0 }
    }
}
