import RocksDB

/// Fills a column family past memtables and compactions: sorted table files, ingested in one step.
final class RocksLoader: FamilyLoader {
    private let database: Database
    private let family: ColumnFamily
    private let options: ColumnFamilyOptions
    private let directory: String
    private var paths: [String] = []
    private var file: SSTFileWriter?

    /// Files of about the size that compaction makes.
    private static let fileBytes: UInt64 = 64 << 20

    init(_ database: Database, into family: ColumnFamily, options: ColumnFamilyOptions, directory: String) {
        self.database = database
        self.family = family
        self.options = options
        self.directory = directory
    }

    func put(_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) throws(EngineError) {
        try rocks { () throws(RocksDBError) in
            if file == nil { try begin() }
            try file?.put(RawSpan(_unsafeBytes: key), RawSpan(_unsafeBytes: value))
            if let bytes = file?.fileBytes, bytes > Self.fileBytes { try end() }
        }
    }

    func finish() throws(EngineError) {
        try rocks { () throws(RocksDBError) in
            try end()
            if !paths.isEmpty { try database.ingest(paths, into: family, moving: true) }
        }
    }

    private func begin() throws(RocksDBError) {
        let path = "\(directory)/\(family.name)-\(paths.count).sst"
        file = try SSTFileWriter(path: path, options: options)
        paths.append(path)
    }

    /// The file is synced; its name need not be, since ingesting links it into the database and syncs that directory.
    private func end() throws(RocksDBError) {
        try file?.finish()
        file = nil
    }
}
