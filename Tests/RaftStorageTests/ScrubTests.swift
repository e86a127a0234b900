import ByteCoding
import Foundation
import Raft
import RocksDB
import Testing

@testable import RaftStorage

@Suite("Scrub of a running node's files")
struct ScrubTests {
    /// All bytes that a pass has read.
    private func pass(_ scrub: StoreScrub) throws -> Int {
        var bytes = 0
        while let read = try scrub.step() { bytes += read }
        return bytes
    }

    @Test func `a pass reads every file and every entry, and the next one begins anew`() throws {
        let node = try TestNode()
        let store = try LivedLog.live(in: node)
        let scrub = try #require(StoreScrub(store, group: group))
        let files = store.rocks.database.liveFiles.reduce(0) { $0 + Int($1.bytes) }
        let first = try pass(scrub)
        #expect(first > files)
        #expect(try pass(scrub) == first)
        try store.flushState()
        try store.write([batch(entries(241...250, term: 3), commit: 240)])
        #expect(try pass(scrub) > first)
        try store.close()
    }

    @Test(arguments: [("sst", "--drop-state"), ("log", "--accept-wal-loss")])
    func `damage is found while the node runs, with the file and what helps`(kind: String, form: String) throws {
        let node = try TestNode()
        let store = try LivedLog.live(in: node)
        let scrub = try #require(StoreScrub(store, group: group))
        _ = try pass(scrub)
        let name: String
        if kind == "sst" {
            let tables = store.rocks.database.liveFiles.filter { $0.columnFamily == "state.1" }
            name = "db/" + tables.max { $0.bytes < $1.bytes }!.name
        } else {
            name = try node.walName()
        }
        try node.flip(name, at: 1000)
        let error = #expect(throws: StorageError.self) { try pass(scrub) }
        #expect(error?.kind == .corruption)
        #expect(error?.message.contains(name) == true)
        #expect(error?.remedy.contains(form) == true)
        store.abandon()
    }

    /// Place in the footer: the kind of all checksums, the version. With one bit of the first turned over, RocksDB checks
    /// nothing any more.
    @Test(arguments: [0, 41]) func `a damaged footer is found, whatever it says now`(place: UInt64) throws {
        let node = try TestNode()
        let store = try LivedLog.live(in: node)
        let scrub = try #require(StoreScrub(store, group: group))
        let table = try #require(store.rocks.database.liveFiles.first { $0.columnFamily == "state.1" })
        try node.flip("db/" + table.name, at: table.bytes - 53 + place)
        let error = #expect(throws: StorageError.self) { try pass(scrub) }
        #expect(error?.kind == .corruption && error?.damaged == .state)
        #expect(error?.message.contains(table.name) == true)
        store.abandon()
    }

    @Test func `a table that a compaction took away meanwhile is nobody's`() throws {
        let node = try TestNode()
        let store = try LivedLog.live(in: node)
        let scrub = try #require(StoreScrub(store, group: group))
        _ = try scrub.step()
        let state = try #require(store.rocks.family(.state(1)))
        store.rocks.database.compact(state)
        _ = try pass(scrub)
        try store.close()
    }

    @Test func `a log that is cut while it is read is read from where it begins`() throws {
        let node = try TestNode()
        let store = try LivedLog.live(in: node)
        let scrub = try #require(StoreScrub(store, group: group))
        _ = try scrub.step()
        _ = try store.truncateLog(group, through: LogIndex(150))
        _ = try pass(scrub)
        try store.close()
    }

    @Test func `there is nothing to read in memory`() throws {
        let store = try TestNode().open { $0.engine = .memory }
        #expect(StoreScrub(store, group: group) == nil)
    }

    @Test func `a table that was ingested beside a snapshot of the database is whole`() throws {
        let node = try TestNode()
        let store = try LivedLog.live(in: node)
        let rocks = store.rocks
        // Held so, RocksDB gives the new keys a sequence number, and writes it into the finished table.
        let moment = rocks.moment()
        let family = try rocks.create(.state(2))
        let loader = try rocks.makeLoader(into: family)
        for key in 0..<2_000 as Range<UInt64> {
            let bytes = withUnsafeBytes(of: key.bigEndian) { Bytes(copying: $0) }
            try bytes.withUnsafeBytes { bytes in try loader.put(bytes, bytes) }
        }
        try loader.finish()
        withExtendedLifetime(moment) {}
        let file = try #require(rocks.database.liveFiles.first { $0.columnFamily == "state.2" })
        var table = try TableFile.open(try DiskFile(node.path("db/" + file.name)))
        var bytes = 0
        while let read = try table.checkNext() { bytes += read }
        // All but the footer.
        #expect(bytes == Int(file.bytes) - 53)
        store.abandon()
    }
}

extension TestNode {
    /// Turns a bit over in place: the file stays the one that others have open.
    func flip(_ name: String, at offset: UInt64) throws {
        let file = try FileHandle(forUpdating: URL(filePath: path(name)))
        try file.seek(toOffset: offset)
        let byte = try #require(try file.read(upToCount: 1))
        try file.seek(toOffset: offset)
        try file.write(contentsOf: Data([byte[0] ^ 1]))
        try file.close()
    }
}
