import ArgumentParser
import ByteCoding
import Foundation
import KeyValue
import Raft
import RaftStorage
import RoostNode
import Testing

@testable import roostd

@Suite("verify, inspect, repair")
struct OfflineTests {
    /// A data directory that vanishes with the object.
    private final class Folder {
        let path: String

        init() throws {
            path = FileManager.default.temporaryDirectory.path + "/roostd-test-\(UUID().uuidString)"
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }
    }

    /// A node of a cluster of three that has written something.
    private func makeNode(in folder: Folder, entries: UInt64 = 1) throws -> String {
        let directory = folder.path + "/data"
        let store = try NodeStore.open(
            StoreConfiguration(
                directory: directory, node: NodeID(2), clusterName: "test", founders: [NodeID(1), NodeID(2), NodeID(3)])
        )
        let group = Inspect.group
        _ = try store.recover(group, founders: Membership(voters: [NodeID(1), NodeID(2), NodeID(3)])) { _ in }
        try store.write([
            PersistBatch(
                group: group, ticket: PersistTicket(1), hardState: HardState(term: Term(1), vote: NodeID(1)),
                truncateFrom: nil,
                entries: (1...entries).map { index in
                    Entry(
                        group: group, id: EntryID(term: Term(1), index: LogIndex(index)), kind: .normal,
                        payload: Self.block())
                }, commit: LogIndex(1))
        ])
        try store.close()
        return directory
    }

    private static func block() -> Bytes {
        var writer = SegmentWriter()
        let (key, value): (Bytes, Bytes) = ("k\u{1}", "value")
        key.withUnsafeBytes { key in value.withUnsafeBytes { writer.set(key: key, value: $0, condition: .ifAbsent) } }
        return Block.encode(
            stamp: 7, segments: [writer.finish().sign(Origin(node: 2, incarnation: 255, sequence: 9))])
    }

    private func parsed<Command>(_ arguments: [String], as type: Command.Type = Command.self) throws -> Command {
        try #require(try Roostd.parseAsRoot(arguments) as? Command)
    }

    @Test func `the directory comes from the flag, or from the configuration`() throws {
        let verify: Verify = try parsed(["verify", "--data-dir", "/x"])
        #expect(try verify.options.directory(after: verify.daemon.options) == "/x")
        let outer: Verify = try parsed(["--data-dir", "/y", "verify", "--json"])
        #expect(try outer.options.directory(after: outer.daemon.options) == "/y")
        let keys: InspectKeys = try parsed(["--data-dir", "/z", "inspect", "keys", "--prefix", "a"])
        #expect(try keys.options.directory(after: keys.inspect.daemon.options) == "/z")
        let summary: InspectSummary = try parsed(["inspect", "--data-dir", "/w"])
        #expect(try summary.options.directory(after: summary.inspect.daemon.options) == "/w")
    }

    @Test func `a repair needs to be told what to give up, one thing at a time`() throws {
        #expect(throws: (any Error).self) { try Roostd.parseAsRoot(["repair", "--data-dir", "/x"]) }
        #expect(throws: (any Error).self) { try Roostd.parseAsRoot(["repair", "--drop-log", "--drop-state"]) }
        let losses: [(flag: String, loss: Repair.Loss?)] = [
            ("--accept-wal-loss", .writeAheadLog), ("--drop-log", .log), ("--drop-state", .state), ("--trust", nil),
            ("--adopt-copy", nil),
        ]
        for (flag, loss) in losses {
            let repair: RepairCommand = try parsed(["repair", flag])
            #expect(repair.action.loss == loss)
        }
    }

    @Test func `a whole directory ends well, damage ends with 65 and the file`() throws {
        let folder = try Folder()
        let directory = try makeNode(in: folder)
        let verify: Verify = try parsed(["verify", "--data-dir", directory, "--quiet"])
        try verify.run()
        let tables = try FileManager.default.contentsOfDirectory(atPath: directory + "/db")
            .filter { $0.hasSuffix(".sst") }.sorted()
        let table = directory + "/db/" + (try #require(tables.last))
        var bytes = try Data(contentsOf: URL(filePath: table))
        bytes[3] ^= 1
        try bytes.write(to: URL(filePath: table))
        let failure = #expect(throws: NodeFailure.self) { try verify.run() }
        #expect(failure?.code == .corruption)
        #expect(failure?.cause.contains(table) == true)
    }

    @Test func `a directory in use ends with 75, one that is none with 66`() throws {
        let folder = try Folder()
        let directory = try makeNode(in: folder)
        let store = try NodeStore.open(StoreConfiguration(directory: directory, origin: .existing))
        for command in ["verify", "inspect"] {
            var looking = try Roostd.parseAsRoot([command, "--data-dir", directory])
            #expect(#expect(throws: NodeFailure.self) { try looking.run() }?.code == .dataLocked)
            var nowhere = try Roostd.parseAsRoot([command, "--data-dir", directory + "/nothing"])
            #expect(#expect(throws: NodeFailure.self) { try nowhere.run() }?.code == .foreignData)
        }
        try store.close()
    }

    @Test func `every form of inspect runs, and a repair leaves a node that is suspect`() throws {
        let folder = try Folder()
        let directory = try makeNode(in: folder)
        for arguments in [["inspect"], ["inspect", "log"], ["inspect", "keys"], ["inspect", "log", "--from", "2"]] {
            for form in [[], ["--json"]] {
                var command = try Roostd.parseAsRoot(arguments + ["--data-dir", directory] + form)
                try command.run()
            }
        }
        var repair = try Roostd.parseAsRoot(["repair", "--drop-log", "--data-dir", directory])
        try repair.run()
        #expect(try OfflineStore.open(directory).isSuspect())
        var trust = try Roostd.parseAsRoot(["repair", "--trust", "--data-dir", directory, "--json"])
        try trust.run()
        #expect(try !OfflineStore.open(directory).isSuspect())
    }

    @Test func `a copy can be looked at, and is the node's once somebody says so`() throws {
        let folder = try Folder()
        let directory = folder.path + "/copy"
        try FileManager.default.copyItem(atPath: try makeNode(in: folder), toPath: directory)
        let summary = try OfflineStore.open(directory).summary(of: Inspect.group)
        #expect(SummaryDocument(summary).copy)
        #expect(SummaryText.page(summary).contains("a copy of the node's directory"))
        var adopt = try Roostd.parseAsRoot(["repair", "--adopt-copy", "--data-dir", directory])
        try adopt.run()
        #expect(try !OfflineStore.open(directory).summary(of: Inspect.group).isCopy)
        #expect(#expect(throws: NodeFailure.self) { try adopt.run() }?.cause.contains("is no copy") == true)
        #expect(RepairDocument(.adopted(isSuspect: true)).suspect)
        #expect(RepairResult.adopted(isSuspect: true).text.contains("no vote"))
        #expect(!RepairResult.adopted(isSuspect: false).text.contains("no vote"))
    }

    @Test func `a summary has all that a program may ask for`() throws {
        let folder = try Folder()
        let store = try OfflineStore.open(try makeNode(in: folder))
        let document = SummaryDocument(try store.summary(of: Inspect.group))
        #expect([document.node, document.term, document.commit] == [2, 1, 1])
        #expect([document.vote, document.first, document.last] == [1, 1, 1])
        #expect(document.founders == [1, 2, 3])
        #expect(document.suspect && !document.copy && document.applied == nil)
        let again = try JSONDecoder().decode(SummaryDocument.self, from: Data(JSONText.of(document).utf8))
        #expect(JSONText.of(again) == JSONText.of(document))
    }

    @Test func `an entry says what it does`() {
        func entry(_ kind: Entry.Kind, _ payload: Bytes) -> EntryDocument {
            EntryDocument(
                Entry(
                    group: Inspect.group, id: EntryID(term: Term(3), index: LogIndex(8)), kind: kind, payload: payload))
        }
        let set = entry(.normal, Self.block())
        #expect(set.commands == ["set k\\x01 (5 B, if absent)"])
        #expect(set.origins == ["2-00000000000000ff-9"] && set.stamp == 7)
        #expect(set.line == "8\tterm 3\tnormal\t\(set.bytes) B\tset k\\x01 (5 B, if absent)")
        let change = MembershipChange([.addVoter(NodeID(4)), .remove(NodeID(1))])
        #expect(entry(.membership, change.encode()).commands == ["add node 4 as a voter", "remove node 1"])
        #expect(entry(.noop, Bytes()).commands == [])
        #expect(entry(.normal, "?").error != nil)
    }

    @Test func `progress is a bar where the end is known, and a number where it is not`() {
        func line(_ step: VerificationProgress.Step, _ done: UInt64, _ total: UInt64) -> String {
            ProgressBar.line(VerificationProgress(step: step, done: done, total: total))
        }
        #expect(
            line(.tables, 512 << 10, 1 << 20) == "tables            [##########··········]  50 %  512.0 KiB of 1.0 MiB")
        #expect(line(.state, 3000, 2000) == "state             [####################] 100 %  3,000 of 2,000")
        #expect(line(.log, 1_234_567, 0) == "log               1,234,567")
        #expect(line(.opening, 0, 0) == "opening           …")
    }

    @Test(arguments: [(0, 3_000), (2_000, 2_000), (9_000, 3_000)] as [(UInt64, UInt64)])
    func `a list says how many lines of how many it has printed`(limit: UInt64, total: UInt64) {
        var shown: [VerificationProgress] = []
        var progress = ListingProgress(.state, of: 3_000, limit: limit) { shown.append($0) }
        for _ in 1...2_500 { progress.add() }
        #expect(
            shown == [1024, 2048].map { VerificationProgress(step: .state, done: $0, total: total) })
    }

    /// In a process whose standard error is a terminal.
    @Test func `a list that goes elsewhere, and a repair, show on the terminal how far they have come`() async throws {
        try await #require(processExitsWith: .exitCode(0)) {
            let terminal = try Terminal()
            let folder = try Folder()
            let directory = try OfflineTests().makeNode(in: folder, entries: 1_500)
            for (arguments, sign) in [
                (["inspect", "log", "--limit", "0"], "log               "),
                (["repair", "--drop-log"], "repair            "),
            ] {
                var command = try Roostd.parseAsRoot(arguments + ["--data-dir", directory])
                try command.run()
                let shown = terminal.read()
                guard shown.contains("\r\u{1B}[K" + sign), shown.hasSuffix("\r\u{1B}[K") else { exit(1) }
            }
        }
    }
}

/// A terminal in the place of standard error; what is printed goes nowhere.
private struct Terminal {
    private let screen: Int32

    // TIOCSPTLCK and TIOCGPTN: macros that Swift does not import. Glibc hides the functions that use them.
    private static let (setLock, getNumber) = (0x4004_5431 as UInt, 0x8004_5430 as UInt)

    init() throws {
        screen = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK)
        var (isLocked, number) = (0 as Int32, 0 as Int32)
        try #require(screen >= 0 && ioctl(screen, Self.setLock, &isLocked) == 0)
        try #require(ioctl(screen, Self.getNumber, &number) == 0)
        let line = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY)
        try #require(line >= 0 && dup2(line, STDERR_FILENO) >= 0)
        try #require(dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO) >= 0)
    }

    /// What was written since the last time.
    func read() -> String {
        var (text, buffer) = ([] as [UInt8], [UInt8](repeating: 0, count: 4096))
        while true {
            let count = Foundation.read(screen, &buffer, buffer.count)
            guard count > 0 else { return String(decoding: text, as: UTF8.self) }
            text += buffer[..<count]
        }
    }
}
