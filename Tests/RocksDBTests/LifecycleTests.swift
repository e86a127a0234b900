import RocksDB
import Testing

@Suite("Opening and closing")
struct LifecycleTests {
    let directory: TestDirectory

    init() throws { directory = try TestDirectory() }

    @Test func `a closed database opens again with what was in it`() throws {
        let first = try Database.make(at: directory.path)
        try first.put("a", "1")
        try first.put("b", "without WAL", .withoutWAL)
        try first.close()
        let second = try Database.make(at: directory.path)
        #expect(try second.pairs() == ["a=1", "b=without WAL"])
    }

    @Test func `the last reference closes`() throws {
        do {
            let database = try Database.make(at: directory.path)
            try database.put("a", "1")
        }
        let again = try Database.make(at: directory.path)
        #expect(try again.get("a") == "1")
    }

    @Test func `closing twice is closing once`() throws {
        let database = try Database.make(at: directory.path)
        try database.close()
        try database.close()
        _ = try Database.make(at: directory.path)
    }

    @Test func `closing is refused while an iterator exists, and works after it`() throws {
        let database = try Database.make(at: directory.path)
        try database.put("a", "1")
        func readWithIterator() throws {
            var iterator = DatabaseIterator(database, database.root)
            try iterator.seekToFirst()
            #expect(throws: RocksDBError.self) { try database.close() }
            #expect(iterator.withEntry { key, _ in key.text } == "a")
        }
        try readWithIterator()
        #expect(try database.get("a") == "1")
        try database.close()
    }

    @Test func `closing is refused while a snapshot exists`() throws {
        let database = try Database.make(at: directory.path)
        do {
            let options = ReadOptions(snapshot: Snapshot(database))
            let error = #expect(throws: RocksDBError.self) { try database.close() }
            #expect(error?.kind == .busy)
            withExtendedLifetime(options) {}
        }
        try database.close()
    }

    @Test func `an iterator outlives every other reference to its database`() throws {
        func makeIterator() throws -> DatabaseIterator {
            let database = try Database.make(at: directory.path)
            try database.put("a", "1")
            return DatabaseIterator(database, database.root)
        }
        func readOneKey() throws {
            var iterator = try makeIterator()
            try iterator.seekToFirst()
            #expect(iterator.withEntry { _, value in value.text } == "1")
        }
        try readOneKey()
        let again = try Database.make(at: directory.path)
        #expect(try again.get("a") == "1")
    }

    @Test func `an abandoned database is left as it is`() throws {
        let database = try Database.make(at: directory.path)
        try database.put("logged", "1")
        try database.put("not logged", "1", .withoutWAL)
        database.abandon()
        // Closing would have given the lock back, and flushed.
        let error = #expect(throws: RocksDBError.self) { try Database.make(at: directory.path) }
        #expect(error?.kind == .lockHeld)
    }

    @Test func `read-only opening sees the data and refuses to write`() throws {
        do {
            let database = try Database.make(at: directory.path)
            try database.put("a", "1")
        }
        let database = try Database(path: directory.path, readOnly: true)
        #expect(try database.get("a") == "1")
        #expect(throws: RocksDBError.self) { try database.put("b", "2") }
    }

    @Test func `destroying removes the database`() throws {
        do { try Database.make(at: directory.path).put("a", "1") }
        try Database.destroy(path: directory.path)
        #expect(throws: RocksDBError.self) { try Database(path: directory.path) }
    }
}

extension Database {
    fileprivate func put(_ key: String, _ value: String, _ options: WriteOptions) throws(RocksDBError) {
        try put(key, value, in: root, options)
    }
}
