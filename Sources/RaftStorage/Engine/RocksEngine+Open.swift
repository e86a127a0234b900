import ByteCoding
import RocksDB

extension RocksEngine {
    /// Opens a directory's database, or makes it.
    ///
    /// Making can stop anywhere and be taken up again: the first records are written as one, and the directory counts
    /// as initialized only after that.
    ///
    /// - Throws: `.corruption`, `.newerFormat`, `.wrongIdentity` when the database belongs to another identity, and
    ///   what the operating system says.
    static func open(
        _ directory: DataDirectory, _ configuration: StoreConfiguration, _ identity: Identity
    ) throws(StorageError) -> RocksEngine {
        let cache = BlockCache(capacityBytes: configuration.blockCacheBytes)
        let database = try openDatabase(directory, configuration, cache, creating: identity.isNew)
        let generation = try establishContent(of: database, identity)
        for name in database.columnFamilyNames {
            // Left behind by a snapshot that was not installed to the end.
            guard let found = RocksLayout.generation(of: name), found != generation else { continue }
            guard let orphan = database.columnFamily(name) else { continue }
            try storage("drop \(name)") { () throws(RocksDBError) in try database.drop(orphan) }
        }
        return try RocksEngine(database: database, cache: cache, generation: generation)
    }

    private static func openDatabase(
        _ directory: DataDirectory, _ configuration: StoreConfiguration, _ cache: BlockCache, creating: Bool
    ) throws(StorageError) -> Database {
        let names = try familyNames(directory, creating: creating)
        let families = names.map { ($0, RocksLayout.familyOptions($0, configuration, cache)) }
        return try storage("open \(directory.database)") { () throws(RocksDBError) in
            try Database(
                path: directory.database,
                options: RocksLayout.databaseOptions(configuration, creating: creating), columnFamilies: families)
        }
    }

    /// The column families to open: all that exist, and all that must.
    private static func familyNames(_ directory: DataDirectory, creating: Bool) throws(StorageError) -> [String] {
        var names: [String] = []
        if directory.hasDatabase {
            names = try storage("list the column families") { () throws(RocksDBError) in
                try Database.listColumnFamilies(path: directory.database)
            }
        }
        if let unknown = names.first(where: { !RocksLayout.isKnown($0) }) {
            throw StorageError(.newerFormat, "\(directory.database) has the unknown column family \(unknown)")
        }
        var missing = [RocksDBDefault.name, RocksLayout.raft, RocksLayout.meta].filter { !names.contains($0) }
        if !names.contains(where: { RocksLayout.generation(of: $0) != nil }) {
            missing.append(RocksLayout.state(firstGeneration))
        }
        guard creating || missing.isEmpty else {
            throw StorageError(.corruption, "column family \(missing[0]) is missing from \(directory.database)")
        }
        return names + missing
    }

    /// Checks format and owner, writing them where there are none yet, and gives the state's generation.
    private static func establishContent(
        of database: Database, _ identity: Identity
    ) throws(StorageError) -> UInt64 {
        guard
            let root = database.columnFamily(RocksDBDefault.name), let meta = database.columnFamily(RocksLayout.meta)
        else { throw StorageError(.corruption, "column families are missing from \(database.path)") }
        func read(_ key: Bytes, _ family: ColumnFamily) throws(StorageError) -> Bytes? {
            try storage("read \(family.name)") { () throws(RocksDBError) in try database.get(key, in: family) }
        }

        if let format = try read(FormatRecord.key, root) {
            try FormatRecord.check(format)
        } else {
            guard identity.isNew else { throw StorageError(.corruption, "\(database.path) has no format record") }
            try RocksLayout.write(firstRecords(identity, root: root, meta: meta), to: database)
        }

        guard let owner = try read(MetadataKey.owner, meta), let generation = try read(MetadataKey.generation, meta)
        else { throw StorageError(.corruption, "\(database.path) has lost its metadata") }
        let found = try OwnerRecord(decoding: owner)
        guard found == OwnerRecord(identity) else {
            throw StorageError(
                .wrongIdentity,
                "\(database.path) was made by node \(found.node), incarnation \(found.incarnation.hex), "
                    + "not by the node of the directory's IDENTITY file")
        }
        return try NumberRecord.decode(generation, key: MetadataKey.generation, "state generation")
    }

    private static func firstRecords(
        _ identity: Identity, root: ColumnFamily, meta: ColumnFamily
    ) -> [(Bytes, Bytes, ColumnFamily)] {
        let generation = NumberRecord.encode(firstGeneration, key: MetadataKey.generation)
        let suspect = NumberRecord.encode(identity.isBornSuspect ? 1 : 0, key: MetadataKey.suspect)
        return [
            (FormatRecord.key, FormatRecord.encode(), root),
            (MetadataKey.owner, OwnerRecord(identity).encode(), meta),
            (MetadataKey.generation, generation, meta),
            (MetadataKey.suspect, suspect, meta),
        ]
    }

    private static let firstGeneration: UInt64 = 1
}
