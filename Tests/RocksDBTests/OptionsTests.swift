import RocksDB
import Testing

@Suite("Options and properties")
struct OptionsTests {
    let directory: TestDirectory

    init() throws { directory = try TestDirectory() }

    @Test func `every option is accepted and takes data`() throws {
        let cache = BlockCache(capacityBytes: 1 << 20)
        var options = DatabaseOptions()
        options.createIfMissing = true
        options.walRecovery = .absoluteConsistency
        options.maxTotalWALBytes = 1 << 20
        options.maxBackgroundJobs = 3
        options.bytesPerSync = 1 << 20
        options.enablePipelinedWrite = true
        options.walDirectory = directory.path(of: "wal")
        options.statistics = true
        options.extra = "avoid_flush_during_shutdown=true"
        var family = ColumnFamilyOptions()
        family.writeBufferBytes = 1 << 20
        family.maxWriteBuffers = 3
        family.compression = .lz4
        family.firstCompressedLevel = 2
        family.bottommostCompression = .zstd
        family.filter = .ribbon(bloomEquivalentBitsPerKey: 10)
        family.blockBytes = 8 << 10
        family.blockCache = cache
        family.cacheIndexAndFilterBlocks = true
        family.disableAutomaticCompactions = true
        family.extra = "periodic_compaction_seconds=0"
        let database = try Database(
            path: directory.path(of: "db"), options: options, columnFamilies: [("default", family)])
        for number in 0..<1000 { try database.put("key \(number)", String(repeating: "v", count: 100)) }
        try database.flush(database.root)
        database.compact(database.root)
        #expect(try database.get("key 7")?.count == 100)
        #expect(cache.usageBytes > 0)
        #expect(cache.capacityBytes == 1 << 20)
    }

    @Test(arguments: [ColumnFamilyOptions.Compression.none, .snappy, .lz4, .zstd])
    func `each compression is built in, and really compresses`(compression: ColumnFamilyOptions.Compression) throws {
        var family = ColumnFamilyOptions()
        family.compression = compression
        var options = DatabaseOptions()
        options.createIfMissing = true
        let database = try Database(path: directory.path, options: options, columnFamilies: [("default", family)])
        for number in 0..<100 { try database.put("key \(number)", String(repeating: "v", count: 1000)) }
        try database.flush(database.root)
        let bytes = try #require(database.integerProperty("rocksdb.total-sst-files-size", of: database.root))
        #expect((bytes > 100_000) == (compression == .none))
    }

    @Test func `properties are numbers, texts, or nil when there is none of the name`() throws {
        let database = try Database.make(at: directory.path) { $0.statistics = true }
        try database.put("a", "1")
        #expect(database.integerProperty("rocksdb.estimate-num-keys", of: database.root) == 1)
        #expect(database.integerProperty("rocksdb.background-errors") == 0)
        #expect(database.integerProperty("rocksdb.no-such-property") == nil)
        #expect(database.integerProperty("rocksdb.no-such-property", of: database.root) == nil)
        #expect(database.property("rocksdb.stats", of: database.root)?.contains("Compaction Stats") == true)
        #expect(database.property("rocksdb.no-such-property") == nil)
        #expect(database.statistics?.contains("rocksdb.number.keys.written COUNT : 1") == true)
    }

    @Test func `statistics are nil unless asked for`() throws {
        #expect(try Database.make(at: directory.path).statistics == nil)
    }

    @Test func `memory usage counts memtables`() throws {
        let database = try Database.make(at: directory.path)
        let before = try database.memoryUsage().memtableBytes
        for number in 0..<10_000 { try database.put("key \(number)", String(repeating: "v", count: 100)) }
        let usage = try database.memoryUsage()
        #expect(usage.memtableBytes > before + 1_000_000)
        #expect(usage.unflushedMemtableBytes > 1_000_000)
        try database.flush(database.root)
        #expect(try database.memoryUsage().unflushedMemtableBytes < 1_000_000)
    }
}
