import Foundation
import RocksDB
import Testing

@Suite("Checkpoints, ingested files, dropped files")
struct FilesTests {
    // Declared first, so that it closes before its directory vanishes.
    let database: Database
    let directory: TestDirectory

    init() throws {
        directory = try TestDirectory()
        database = try .make(at: directory.path(of: "db"))
    }

    @Test(arguments: [(Database.CheckpointFlush.always, ["a=1", "b=2"]), (.never, ["a=1"])])
    func `a checkpoint holds what its flush policy says`(flush: Database.CheckpointFlush, expected: [String]) throws {
        try database.put("a", "1", in: database.root, .withoutWAL)
        try database.flush(database.root)
        try database.put("b", "2", in: database.root, .withoutWAL)
        let path = directory.path(of: "checkpoint")
        try database.makeCheckpoint(at: path, flush: flush)
        try database.put("c", "3")
        #expect(try Database(path: path, readOnly: true).pairs() == expected)
    }

    @Test func `a checkpoint refuses a path that exists`() throws {
        #expect(throws: RocksDBError.self) { try database.makeCheckpoint(at: directory.path, flush: .never) }
    }

    private func makeFile(_ name: String, _ keys: [String]) throws -> String {
        let path = directory.path(of: name)
        var writer = try SSTFileWriter(path: path, options: ColumnFamilyOptions())
        for key in keys { try writer.put(Array(key.utf8).span.bytes, Array("ingested".utf8).span.bytes) }
        try writer.finish()
        #expect(writer.fileBytes > 0)
        return path
    }

    @Test(arguments: [true, false]) func `several files enter in one call`(moving: Bool) throws {
        try database.put("b", "before")
        let files = [try makeFile("1.sst", ["a", "b"]), try makeFile("2.sst", ["c"])]
        try database.ingest(files, into: database.root, moving: moving)
        #expect(try database.pairs() == ["a=ingested", "b=ingested", "c=ingested"])
        #expect(FileManager.default.fileExists(atPath: files[0]) == !moving)
    }

    @Test func `one bad file keeps all out`() throws {
        let good = try makeFile("1.sst", ["a"])
        try Data("no table".utf8).write(to: URL(filePath: directory.path(of: "2.sst")))
        let error = #expect(throws: RocksDBError.self) {
            try database.ingest([good, directory.path(of: "2.sst")], into: database.root, moving: false)
        }
        #expect(error?.kind == .corruption)
        #expect(try database.pairs() == [])
    }

    @Test func `keys of a file must ascend, and there must be one`() throws {
        #expect(throws: RocksDBError.self) { try makeFile("1.sst", ["b", "a"]) }
        #expect(throws: RocksDBError.self) { try makeFile("2.sst", []) }
        #expect(throws: RocksDBError.self) { try makeFile("none/3.sst", ["a"]) }
    }

    @Test func `files wholly within a range are dropped, their neighbours stay`() throws {
        // Into an empty database files enter at the last level; those of level 0 are never dropped.
        for (name, keys) in [("1.sst", ["a", "b"]), ("2.sst", ["m", "n"]), ("3.sst", ["y", "z"])] {
            try database.ingest([try makeFile(name, keys)], into: database.root, moving: true)
        }
        try database.deleteFiles(from: Array("b".utf8).span.bytes, to: Array("o".utf8).span.bytes, in: database.root)
        #expect(try database.pairs() == ["a=ingested", "b=ingested", "y=ingested", "z=ingested"])
    }

    private func tableBytes() throws -> Int {
        let folder = directory.path(of: "db")
        return try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".sst") }.reduce(0) {
            let attributes = try? FileManager.default.attributesOfItem(atPath: "\(folder)/\($1)")
            return $0 + (attributes?[.size] as? Int ?? 0)
        }
    }

    /// Tables that overlap one another, so that a compaction must write all of them anew.
    private func writeTables() throws {
        var random = SystemRandomNumberGenerator()
        for round in 0..<8 {
            for number in 0..<1_000 {
                let value = (0..<512).map { _ in random.next() as UInt64 }.withUnsafeBytes { Array($0) }
                let key = Array("key\(number * 8 + round)".utf8)
                try database.put(key.span.bytes, value.span.bytes, in: database.root, .withoutWAL)
            }
            try database.flush(database.root)
        }
    }

    /// RocksDB itself leaves that for hours.
    @Test func `a compaction that is ended leaves nothing of what it had written`() throws {
        try database.setAutomaticCompactions(false, in: database.root)
        var wasEnded = false
        // One that is through before anybody can end it proves nothing.
        for _ in 0..<10 where !wasEnded {
            try writeTables()
            let before = try tableBytes()
            let isDone = DispatchSemaphore(value: 0)
            Thread.detachNewThread { [database] in
                database.compact(database.root)
                isDone.signal()
            }
            while try tableBytes() < before + 2 << 20, isDone.wait(timeout: .now()) == .timedOut {}
            try database.cancelCompactions()
            database.allowCompactions()
            let alive = Int(database.integerProperty("rocksdb.total-sst-files-size", of: database.root) ?? 0)
            #expect(try tableBytes() == alive)
            wasEnded = alive >= before
        }
        #expect(wasEnded)
    }
}
