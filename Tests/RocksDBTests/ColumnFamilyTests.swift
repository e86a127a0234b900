import RocksDB
import Testing

@Suite("Column families")
struct ColumnFamilyTests {
    let directory: TestDirectory

    init() throws { directory = try TestDirectory() }

    private func open(_ names: [String], creating: Bool) throws -> Database {
        var options = DatabaseOptions()
        options.createIfMissing = creating
        options.createMissingColumnFamilies = creating
        return try Database(
            path: directory.path, options: options, columnFamilies: names.map { ($0, ColumnFamilyOptions()) })
    }

    @Test func `families have keys of their own and share a batch`() throws {
        let database = try open(["default", "log", "state"], creating: true)
        #expect(database.columnFamilyNames == ["default", "log", "state"])
        let log = try #require(database.columnFamily("log"))
        let state = try #require(database.columnFamily("state"))
        var batch = WriteBatch()
        batch.put("a", "log", in: log)
        batch.put("a", "state", in: state)
        try database.write(&batch, .unsynced)
        #expect(try database.get("a", in: log) == "log")
        #expect(try database.get("a", in: state) == "state")
        #expect(try database.get("a") == nil)
    }

    @Test func `all existing families must be named when opening`() throws {
        try open(["default", "log"], creating: true).close()
        #expect(try Database.listColumnFamilies(path: directory.path).sorted() == ["default", "log"])
        #expect(throws: RocksDBError.self) { try open(["default"], creating: false) }
        #expect(throws: RocksDBError.self) { try open(["default", "log", "other"], creating: false) }
        try open(["default", "log"], creating: false).close()
    }

    @Test func `a family is made and dropped while the database is open`() throws {
        let database = try open(["default"], creating: true)
        let family = try database.createColumnFamily("state.2", options: ColumnFamilyOptions())
        try database.put("a", "1", in: family)
        try database.drop(family)
        #expect(database.columnFamily("state.2") == nil)
        try database.close()
        #expect(try Database.listColumnFamilies(path: directory.path) == ["default"])
    }

    @Test func `an iterator goes on over a family that is dropped meanwhile`() throws {
        let database = try open(["default", "old"], creating: true)
        let family = try #require(database.columnFamily("old"))
        for key in ["a", "b"] { try database.put(key, "1", in: family) }
        func read() throws {
            var iterator = DatabaseIterator(database, family)
            try iterator.seekToFirst()
            try database.drop(family)
            try iterator.next()
            #expect(iterator.withEntry { key, _ in key.text } == "b")
        }
        try read()
        try database.close()
    }

    @Test func `a missing database has no families to list`() throws {
        let error = #expect(throws: RocksDBError.self) {
            try Database.listColumnFamilies(path: directory.path(of: "none"))
        }
        #expect(error?.kind == .io)
    }

    @Test func `a dropped family whose handle is kept is read until it is released`() throws {
        let database = try open(["default", "old"], creating: true)
        let family = try #require(database.columnFamily("old"))
        try database.put("a", "1", in: family)
        try database.flush(family)
        try database.drop(family, keepingHandle: true)
        #expect(database.columnFamily("old") == nil)
        #expect(try Database.listColumnFamilies(path: directory.path) == ["default"])
        #expect(try database.get("a", in: family) == "1")
        // The name is free again, for a family of its own.
        let new = try database.createColumnFamily("old", options: ColumnFamilyOptions())
        #expect(try database.get("a", in: new) == nil)
        database.release(family)
        database.release(family)
        #expect(try database.get("a", in: new) == nil)
        try database.close()
    }

    @Test func `closing releases dropped families by itself`() throws {
        let database = try open(["default", "old"], creating: true)
        try database.drop(try #require(database.columnFamily("old")), keepingHandle: true)
        try database.close()
        try open(["default"], creating: false).close()
    }
}
