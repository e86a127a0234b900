import ByteCoding
import Foundation
import Raft
import Testing

@testable import RaftStorage

@Suite("Crashes")
struct CrashTests {
    private static let rounds = 3

    /// A process of its own works on the directory and is killed with SIGKILL in mid-life, again and again. What it had
    /// handed to the operating system is there afterwards, nothing else. (What a power cut loses is not shown here.)
    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `a killed node finds what it had promised`(seed: UInt64) async throws {
        let node = try TestNode()
        var expected = CrashModel(seed: seed)
        for round in 1...Self.rounds {
            await #expect(processExitsWith: .signal(SIGKILL)) {
                [node = node.root as String, seed = seed as UInt64, round = round as Int] in
                // No time limit ends a child that hangs.
                alarm(120)
                var model = CrashModel(seed: seed)
                for _ in 1..<round { try model.live(on: nil) }
                let store = try TestNode(existing: node).open()
                _ = try store.recoverApplying()
                try model.live(on: store)
                kill(getpid(), SIGKILL)
            }
            try expected.live(on: nil)
            try expected.check(try node.copy().open())
        }
    }

    @Test(arguments: [1, 20, 100]) func `a torn last write is cut as a whole, and the node starts`(torn: Int) throws {
        let node = try TestNode()
        let store = try node.open()
        _ = try store.recoverApplying()
        try store.write([batch(entries(1...5), commit: 3, term: 1)])
        try store.write([batch(entries(4...9, term: 2), commit: 7, term: 2, truncateFrom: 4)])
        let crashed = try node.crashCopy(store)
        try crashed.edit(try crashed.walName()) { $0.removeLast(torn) }
        let state = try crashed.open().recoverApplying().state
        #expect(state.hardState == HardState(term: Term(1)))
        #expect([state.lastIndex, state.commit] == [LogIndex(5), LogIndex(3)])
    }

    @Test func `damage before the end of the log refuses to start`() throws {
        let node = try TestNode()
        let store = try node.open()
        _ = try store.recoverApplying()
        try store.write([batch(entries(1...5), term: 1)])
        try store.write([batch(entries(6...9))])
        let crashed = try node.crashCopy(store)
        try crashed.edit(try crashed.walName()) { $0[30] ^= 1 }
        let error = #expect(throws: StorageError.self) { try crashed.open() }
        #expect(error?.kind == .corruption)
        // RocksDB does not say where.
        #expect(error?.message.contains("\(try crashed.walName()): a wrong checksum at") == true)
        #expect(error?.remedy.contains("--accept-wal-loss") == true)
    }
}

extension TestNode {
    /// The newest file of the write-ahead log, as a path within the directory.
    func walName() throws -> String {
        let names = try FileManager.default.contentsOfDirectory(atPath: path("db")).filter { $0.hasSuffix(".log") }
        return "db/" + names.max()!
    }
}
