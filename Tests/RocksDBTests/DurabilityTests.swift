import Foundation
import RocksDB
import Testing

@Suite("What survives, and what a read may wait for")
struct DurabilityTests {
    let directory: TestDirectory

    init() throws { directory = try TestDirectory() }

    /// What a killed process would leave: the files as they are at this moment.
    private func reopenCopy() throws -> Database {
        let copy = directory.path(of: "copy-\(UUID().uuidString)")
        try FileManager.default.copyItem(atPath: directory.path(of: "db"), toPath: copy)
        return try .make(at: copy)
    }

    @Test func `a crash keeps what is logged, and what is not logged from the last flush on is lost`() throws {
        let database = try Database.make(at: directory.path(of: "db"))
        try database.put("logged", "1", in: database.root, .synced)
        try database.put("flushed", "1", in: database.root, .withoutWAL)
        try database.flush(database.root)
        try database.put("not logged", "1", in: database.root, .withoutWAL)
        #expect(try reopenCopy().pairs() == ["flushed=1", "logged=1"])
    }

    @Test func `the persisted tier shows what was flushed`() throws {
        let database = try Database.make(at: directory.path(of: "db"))
        let persisted = ReadOptions(tier: .persisted)
        try database.put("applied", "1", in: database.root, .withoutWAL)
        #expect(try database.get("applied", in: database.root, persisted) == nil)
        try database.flush(database.root)
        try database.put("applied", "2", in: database.root, .withoutWAL)
        #expect(try database.get("applied", in: database.root, persisted) == "1")
        #expect(try database.get("applied") == "2")
    }

    @Test func `the memory tier refuses to read a block from disk, and finds it once cached`() throws {
        do {
            let database = try Database.make(at: directory.path(of: "db"))
            try database.put("on disk", "1")
            try database.flush(database.root)
        }
        let database = try Database.make(at: directory.path(of: "db"))
        let memory = ReadOptions(tier: .memory)
        let error = #expect(throws: RocksDBError.self) { try database.get("on disk", in: database.root, memory) }
        #expect(error?.kind == .incomplete)
        #expect(try database.get("on disk") == "1")
        #expect(try database.get("on disk", in: database.root, memory) == "1")
        try database.put("in memtable", "2")
        #expect(try database.get("in memtable", in: database.root, memory) == "2")
    }
}
