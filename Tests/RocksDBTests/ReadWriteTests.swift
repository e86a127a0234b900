import RocksDB
import Testing

@Suite("Reading and writing")
struct ReadWriteTests {
    // Declared first, so that it closes before its directory vanishes.
    let database: Database
    let directory: TestDirectory

    init() throws {
        directory = try TestDirectory()
        database = try .make(at: directory.path)
    }

    @Test func `what was put is found, what was deleted or never put is not`() throws {
        try database.put("a", "1")
        try database.put("b", "2")
        try database.delete(Array("a".utf8).span.bytes, in: database.root, .synced)
        #expect(try database.get("a") == nil)
        #expect(try database.get("b") == "2")
        #expect(try database.get("c") == nil)
    }

    @Test func `empty keys and empty values are keys and values`() throws {
        try database.put("", "of nothing")
        try database.put("empty", "")
        #expect(try database.get("") == "of nothing")
        #expect(try database.get("empty") == "")
        #expect(try database.pairs() == ["=of nothing", "empty="])
    }

    @Test func `a value is given in place, an absent one as nil`() throws {
        try database.put("key", "value")
        let count = try database.get(Array("key".utf8).span.bytes, in: database.root) { $0?.byteCount }
        let absent = try database.get(Array("none".utf8).span.bytes, in: database.root) { $0 == nil }
        #expect(count == 5)
        #expect(absent)
    }

    @Test func `a batch takes effect in its order, and not before it is written`() throws {
        var batch = WriteBatch()
        batch.put("a", "1", in: database.root)
        batch.put("b", "1", in: database.root)
        batch.deleteRange(from: "a", to: "z", in: database.root)
        batch.put("b", "2", in: database.root)
        batch.put("c", "3", in: database.root)
        batch.delete("c", in: database.root)
        #expect(batch.count == 6)
        #expect(try database.pairs() == [])
        try database.write(&batch, .synced)
        #expect(try database.pairs() == ["b=2"])
    }

    @Test func `a cleared batch writes nothing`() throws {
        var batch = WriteBatch()
        batch.put("a", "1", in: database.root)
        let full = batch.byteCount
        batch.clear()
        #expect(batch.count == 0)
        #expect(batch.byteCount < full)
        try database.write(&batch, .synced)
        #expect(try database.pairs() == [])
    }

    @Test(arguments: [("head", "body", "tail"), ("", "body", ""), ("head", "", ""), ("", "", "")])
    func `a value in parts is stored as one`(head: String, body: String, tail: String) throws {
        var batch = WriteBatch()
        batch.put(
            Array("key".utf8).span.bytes, head: Array(head.utf8).span.bytes, body: Array(body.utf8).span.bytes,
            tail: Array(tail.utf8).span.bytes, in: database.root)
        try database.write(&batch, .unsynced)
        #expect(try database.get("key") == head + body + tail)
    }

    @Test func `a range deletion takes the lower bound and leaves the upper one`() throws {
        for key in ["a", "b", "c", "d"] { try database.put(key, "1") }
        try database.deleteRange(
            from: Array("b".utf8).span.bytes, to: Array("d".utf8).span.bytes, in: database.root, .unsynced)
        #expect(try database.pairs() == ["a=1", "d=1"])
    }

    @Test func `a snapshot goes on seeing its moment`() throws {
        try database.put("a", "old")
        let options = ReadOptions(snapshot: Snapshot(database))
        try database.put("a", "new")
        try database.put("b", "new")
        #expect(try database.get("a", options) == "old")
        #expect(try database.pairs(options) == ["a=old"])
        #expect(try database.pairs() == ["a=new", "b=new"])
    }
}

extension Database {
    fileprivate func get(_ key: String, _ options: ReadOptions) throws(RocksDBError) -> String? {
        try get(key, in: root, options)
    }

    fileprivate func pairs(_ options: ReadOptions) throws -> [String] { try pairs(in: root, options) }
}
