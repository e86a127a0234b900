import Foundation
import RocksDB
import Testing

@Suite("Errors")
struct ErrorTests {
    let directory: TestDirectory

    init() throws { directory = try TestDirectory() }

    @Test(
        arguments: [
            (
                "IO error: No space left on device: While appending to file: /d/000012.log: No space left on device",
                .noSpace
            ),
            ("IO error: While appending to file: /d/000012.log: Disk quota exceeded", .noSpace),
            ("IO error: While lock file: /d/LOCK: Resource temporarily unavailable", .lockHeld),
            (
                "IO error: lock hold by current process, acquire time 1 /d/LOCK: No locks available",
                .lockHeld
            ),
            ("IO error: While fdatasync: /d/000012.log: Input/output error", .io),
            ("Corruption: block checksum mismatch: stored = 1, computed = 2 in /d/000009.sst", .corruption),
            ("Result incomplete: read in progress", .incomplete),
            ("Resource busy: ", .busy),
            ("Invalid argument: Column families not opened: log", .other),
            ("", .other),
        ] as [(String, RocksDBError.Kind)])
    func `the text gives the kind`(message: String, kind: RocksDBError.Kind) {
        #expect(RocksDBError(message: message).kind == kind)
        #expect(RocksDBError(message: message).message == message)
    }

    @Test func `a database that doesn't exist is not made by accident`() throws {
        let error = #expect(throws: RocksDBError.self) { try Database(path: directory.path(of: "db")) }
        #expect(error?.kind == .other)
        #expect(error?.message.contains("does not exist") == true)
    }

    @Test func `one that exists is not taken over by accident`() throws {
        try Database.make(at: directory.path).close()
        #expect(throws: RocksDBError.self) { try Database.make(at: directory.path) { $0.errorIfExists = true } }
    }

    @Test func `a second opening finds the lock held`() throws {
        let first = try Database.make(at: directory.path)
        let error = #expect(throws: RocksDBError.self) { try Database.make(at: directory.path) }
        #expect(error?.kind == .lockHeld)
        try first.close()
    }

    @Test func `a path that can't be a directory is an I/O error`() throws {
        try Data().write(to: URL(filePath: directory.path(of: "file")))
        let error = #expect(throws: RocksDBError.self) { try Database.make(at: directory.path(of: "file/db")) }
        #expect(error?.kind == .io)
    }

    @Test func `an unknown option refuses to open`() throws {
        let error = #expect(throws: RocksDBError.self) {
            try Database.make(at: directory.path) { $0.extra = "no_such_option=1" }
        }
        #expect(error?.message.contains("no_such_option") == true)
    }

    @Test func `a flipped byte in a table file is corruption when it is read`() throws {
        do {
            let database = try Database.make(at: directory.path)
            try database.put("key", String(repeating: "v", count: 1000))
            try database.flush(database.root)
        }
        let name = try #require(
            FileManager.default.contentsOfDirectory(atPath: directory.path).first { $0.hasSuffix(".sst") })
        let url = URL(filePath: directory.path(of: name))
        var bytes = try Data(contentsOf: url)
        bytes[20] ^= 1
        try bytes.write(to: url)
        let database = try Database.make(at: directory.path)
        let error = #expect(throws: RocksDBError.self) { try database.get("key") }
        #expect(error?.kind == .corruption)
        #expect(throws: RocksDBError.self) { try database.pairs() }
    }

    @Test func `a flipped byte in the middle of the log refuses to open, a torn tail is cut`() throws {
        let database = try Database.make(at: directory.path(of: "db"))
        for key in ["a", "b", "c"] { try database.put(key, "1", in: database.root, .synced) }

        func reopenCopy(_ name: String, _ damage: (inout Data) -> Void) throws -> Database {
            let copy = directory.path(of: name)
            try FileManager.default.copyItem(atPath: directory.path(of: "db"), toPath: copy)
            let log = try #require(FileManager.default.contentsOfDirectory(atPath: copy).first { $0.hasSuffix(".log") })
            var bytes = try Data(contentsOf: URL(filePath: copy + "/" + log))
            damage(&bytes)
            try bytes.write(to: URL(filePath: copy + "/" + log))
            return try .make(at: copy)
        }
        let error = #expect(throws: RocksDBError.self) { try reopenCopy("flipped") { $0[10] ^= 1 } }
        #expect(error?.kind == .corruption)
        #expect(try reopenCopy("torn") { $0.removeLast(3) }.pairs() == ["a=1", "b=1"])
    }
}
