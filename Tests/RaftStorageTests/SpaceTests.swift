import ByteCoding
import Foundation
import Raft
import Testing

@testable import RaftStorage

@Suite("Room on the disk: the reserve, and what can be given back")
struct SpaceTests {
    private let node: TestNode
    private var reserve: ReserveFile { ReserveFile(directory: node.directory) }

    init() throws { node = try TestNode() }

    /// Bytes that the file system has given to a file.
    private func allocatedBytes(_ name: String) throws -> UInt64 {
        var status = stat()
        try #require(stat(node.path(name), &status) == 0)
        return UInt64(status.st_blocks) * 512
    }

    @Test func `a reserve has its size allocated, gives way to one of another size, and goes`() throws {
        try FileSystem.makeDirectories(node.directory)
        #expect(reserve.byteCount == 0)
        try reserve.make(byteCount: 1 << 20)
        #expect(reserve.byteCount == 1 << 20)
        #expect(try allocatedBytes("RESERVE") >= 1 << 20)
        try reserve.make(byteCount: 1 << 16)
        #expect(reserve.byteCount == 1 << 16)
        try reserve.make(byteCount: 0)
        #expect(try !FileSystem.exists(node.path("RESERVE")))
        try reserve.remove()
    }

    @Test func `a reserve that does not fit leaves nothing behind`() throws {
        try FileSystem.makeDirectories(node.directory)
        let capacity = try FileSystemSpace(of: node.directory).capacityBytes
        #expect(throws: StorageError.self) { try reserve.make(byteCount: capacity + 1) }
        #expect(try FileSystem.names(in: node.directory) == [])
    }

    @Test func `the space of a path that is not there yet is that of its parent`() throws {
        let there = try FileSystemSpace(of: node.root)
        let notYet = try FileSystemSpace(of: node.root + "/a/b/c")
        #expect(there.capacityBytes == notYet.capacityBytes)
        #expect(there.freeBytes <= there.capacityBytes)
    }

    @Test func `a start with enough room keeps the reserve, one without gives it up`() throws {
        try node.open().close()
        try reserve.make(byteCount: 4 << 20)
        try node.open { $0.minFreeBytesAtStart = 1 }.close()
        #expect(reserve.byteCount == 4 << 20)
        var said: [String] = []
        let starved = node.configuration { $0.minFreeBytesAtStart = .max }
        let store = try NodeStore.open(starved) { said.append($0) }
        #expect(reserve.byteCount == 0)
        #expect(said.contains { $0.hasSuffix("gave up the reserve of 4 MiB") }, "\(said)")
        try store.close()
    }

    @Test func `a start without room also gives up what earlier snapshots left`() throws {
        try node.open().close()
        for name in ["snapshots/1-7-1.snap", "incoming/1-part"] {
            try Data(count: 1000).write(to: URL(filePath: node.path(name)))
        }
        // As it is before the database opens: that fails here.
        try Data().write(to: URL(filePath: node.path("db/CURRENT")))
        let starved = node.configuration { $0.minFreeBytesAtStart = .max }
        #expect(throws: StorageError.self) { try NodeStore.open(starved) }
        #expect(try FileSystem.names(in: node.path("snapshots")) == [])
        #expect(try FileSystem.names(in: node.path("incoming")) == [])
    }

    @Test func `a start writes next to nothing, however much log there is`() throws {
        let store = try node.open { $0.logWriteBufferBytes = 64 << 20 }
        _ = try store.recoverApplying()
        for index in 1...80 as ClosedRange<UInt64> {
            try store.write([batch([entry(index, bytes: 100_000)], commit: index, term: 1)])
        }
        store.abandon()
        let copy = try node.copy()
        let before = try copy.totalBytes()
        #expect(before > 8_000_000)
        let reopened = try copy.open { $0.logWriteBufferBytes = 64 << 20 }
        #expect(try copy.totalBytes() - before < 300_000)
        // And all of it is still there, also the next time.
        let (state, _) = try reopened.recoverApplying()
        #expect(state.lastIndex == LogIndex(80))
        reopened.abandon()
        let again = try copy.copy().open { $0.logWriteBufferBytes = 64 << 20 }
        #expect(try again.recoverApplying().state.lastIndex == LogIndex(80))
        try again.close()
    }

    @Test func `after a cut, flushing the log gives the write-ahead log back`() throws {
        let store = try node.open { $0.logWriteBufferBytes = 64 << 20 }
        _ = try store.recoverApplying()
        for index in 1...40 as ClosedRange<UInt64> {
            let entry = entry(index, bytes: 100_000)
            try store.write([batch([entry], commit: index, term: 1)])
            try store.apply([entry])
        }
        try store.flushState()
        _ = try store.truncateLog(group, through: LogIndex(39))
        #expect(store.statistics().walBytes > 4_000_000)
        try store.flushLog()
        #expect(store.statistics().walBytes < 200_000)
        #expect(store.statistics().logTableBytes < 200_000)
        #expect(try store.allEntries(from: 40, through: 40) == [40])
        try store.close()
        let reopened = try node.open()
        let state = try reopened.recoverApplying().state
        #expect((state.truncated.index, state.lastIndex) == (LogIndex(39), LogIndex(40)))
        try reopened.close()
    }

    @Test func `compacting gives back what was overwritten`() throws {
        let store = try node.open()
        _ = try store.recoverApplying()
        for _ in 1...6 {
            // The same key each time.
            let batch = store.state.makeBatch()
            for key in 1...20 as ClosedRange<UInt64> {
                batch.put(stateKey(LogIndex(key)), Bytes((0..<20_000).map { _ in UInt8.random(in: 0...255) }))
            }
            try store.state.commit(batch)
            try store.flushState()
        }
        store.compactState()
        #expect(store.statistics().stateTableBytes < 600_000)
        try store.cancelCompaction()
        // Does nothing any more, and above all ends.
        store.compactState()
        try store.close()
    }
}

extension TestNode {
    /// What the files of the directory take.
    fileprivate func totalBytes() throws -> Int {
        let folders = ["", "db/"]
        return folders.reduce(0) { sum, folder in
            sum + Int(FileSystem.totalBytes(of: "", in: directory + "/" + folder))
        }
    }
}

/// An entry with a payload of that size, which does not compress.
private func entry(_ index: UInt64, bytes: Int) -> Entry {
    var generator = SystemRandomNumberGenerator()
    let payload = (0..<bytes).map { _ in UInt8.random(in: 0...255, using: &generator) }
    return Entry(
        group: group, id: EntryID(term: Term(1), index: LogIndex(index)), kind: .normal, payload: Bytes(payload))
}
