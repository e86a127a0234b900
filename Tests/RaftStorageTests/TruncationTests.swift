import ByteCoding
import Raft
import Testing

@testable import RaftStorage

@Suite("Cutting the log")
struct TruncationTests {
    // Declared first, so that it closes before its directory vanishes.
    let store: NodeStore
    let node: TestNode

    init() throws {
        node = try TestNode()
        store = try node.open()
        _ = try store.recoverApplying()
        try store.write([batch(entries(1...6), term: 1), batch(entries(7...20, term: 2), commit: 18, term: 2)])
    }

    private func apply(_ indexes: ClosedRange<UInt64>) throws {
        for index in indexes { try store.apply([entry(index, term: index <= 6 ? 1 : 2)]) }
    }

    @Test func `only what a flush made durable counts as durably applied`() throws {
        #expect(try store.durableApplied(group) == .zero)
        try apply(1...10)
        #expect(try store.durableApplied(group) == .zero)
        try store.flushState()
        #expect(try store.durableApplied(group) == EntryID(term: Term(2), index: LogIndex(10)))
        try apply(11...12)
        #expect(try store.durableApplied(group).index == LogIndex(10))
    }

    @Test func `the log is never cut beyond what is durably applied`() throws {
        try apply(1...12)
        try store.flushState()
        try apply(13...15)
        let error = #expect(throws: StorageError.self) { try store.truncateLog(group, through: LogIndex(13)) }
        #expect(error?.kind == .invariant)
        #expect(try store.allEntries(from: 1, through: 20).count == 20)
        #expect(
            try store.truncateLog(group, through: LogIndex(12)) == EntryID(term: Term(2), index: LogIndex(12)))
    }

    @Test func `a reader that sees a cut before the bookkeeping does finds nothing, and no damage`() throws {
        try store.records.log.truncate(group, from: .zero, through: EntryID(term: Term(1), index: LogIndex(6)))
        #expect(try store.bounds(of: group).truncated == .zero)
        #expect(try store.allEntries(from: 5, through: 6) == [])
        #expect(try store.allEntries(from: 7, through: 9) == [7, 8, 9])
    }

    @Test func `a snapshot that the log does not reach back to any more is removed with the cut`() throws {
        try apply(1...12)
        _ = try store.makeSnapshot(group)
        try apply(13...14)
        try store.flushState()
        _ = try store.truncateLog(group, through: LogIndex(12))
        #expect(try store.shelf.files.names(in: SnapshotFolder.own).count == 1)
        _ = try store.truncateLog(group, through: LogIndex(13))
        #expect(try store.shelf.files.names(in: SnapshotFolder.own) == [])
    }

    @Test func `what is cut is gone, what follows stays, and the marker remembers`() throws {
        try apply(1...12)
        try store.flushState()
        #expect(try store.truncateLog(group, through: LogIndex(6)) == EntryID(term: Term(1), index: LogIndex(6)))
        #expect(try store.allEntries(from: 7, through: 20) == Array(7...20))
        #expect(try store.allEntries(from: 6, through: 20) == [])
        #expect(try store.allEntries(from: 1, through: 3) == [])
        try store.close()

        let (restored, replayed) = try node.open().recoverApplying()
        #expect(restored.truncated == EntryID(term: Term(1), index: LogIndex(6)))
        #expect(restored.termRuns == [EntryID(term: Term(2), index: LogIndex(7))])
        #expect(restored.lastIndex == LogIndex(20))
        #expect(replayed == Array(13...18))
    }

    @Test func `cutting goes on from the cut before, and cutting again changes nothing`() throws {
        try apply(1...12)
        try store.flushState()
        #expect(try store.truncateLog(group, through: LogIndex(3))?.index == LogIndex(3))
        #expect(try store.truncateLog(group, through: LogIndex(9))?.index == LogIndex(9))
        #expect(try store.truncateLog(group, through: LogIndex(9)) == nil)
        #expect(try store.truncateLog(group, through: LogIndex(2)) == nil)
        #expect(try store.allEntries(from: 10, through: 20) == Array(10...20))
    }

    @Test func `a log that is cut to its end goes on behind it`() throws {
        try store.write([batch(commit: 20)])
        try apply(1...20)
        try store.flushState()
        _ = try store.truncateLog(group, through: LogIndex(20))
        try store.write([batch(entries(21...22, term: 2), commit: 20)])
        #expect(try store.allEntries(from: 21, through: 99) == [21, 22])
        let restored = try node.crashCopy(store).open().recoverApplying().state
        #expect(restored.truncated.index == LogIndex(20))
        #expect(restored.applied == LogIndex(20))
        #expect(restored.unapplied.map(\.index.rawValue) == [21, 22])
    }

    @Test func `a removal can't reach below the cut`() throws {
        try apply(1...12)
        try store.flushState()
        _ = try store.truncateLog(group, through: LogIndex(12))
        let error = #expect(throws: StorageError.self) { try store.write([batch(truncateFrom: 12)]) }
        #expect(error?.kind == .invariant)
    }

    @Test func `a cut keeps its place in the order of writes when the process is killed`() throws {
        try apply(1...12)
        try store.flushState()
        _ = try store.truncateLog(group, through: LogIndex(12))
        try store.write([batch(entries(21...21, term: 2))])
        let restored = try node.crashCopy(store).open().recoverApplying().state
        #expect(restored.truncated.index == LogIndex(12))
        #expect(restored.lastIndex == LogIndex(21))
    }

    @Test func `cutting before a flush keeps the log out of the table files`() throws {
        let payload = Bytes([UInt8](repeating: 7, count: 1000))
        try store.write([
            batch(
                (21...320).map {
                    Entry(
                        group: group, id: EntryID(term: Term(2), index: LogIndex($0)), kind: .normal, payload: payload)
                }, commit: 320)
        ])
        try apply(1...320)
        try store.flushState()
        _ = try store.truncateLog(group, through: LogIndex(319))
        try store.rocks.flushLog()
        #expect(store.statistics().logTableBytes < 10_000)
        #expect(try store.allEntries(from: 320, through: 400) == [320])
    }
}
