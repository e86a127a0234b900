import ByteCoding
import RocksDB

extension RocksEngine {
    /// Opens a directory's database with every family that it has, or makes an empty one.
    ///
    /// - Throws: `.corruption`, `.newerFormat` for families of a later version, and what the operating system says.
    static func open(
        _ directory: DataDirectory, _ configuration: StoreConfiguration, creating: Bool
    ) throws(StorageError) -> RocksEngine {
        let cache = BlockCache(capacityBytes: configuration.blockCacheBytes)
        let families = try familyNames(directory).map { name in
            (name.description, RocksLayout.familyOptions(name, configuration, cache))
        }
        let database = try opening("open \(directory.database)") { () throws(RocksDBError) in
            try Database(
                path: directory.database,
                options: RocksLayout.databaseOptions(configuration, creating: creating), columnFamilies: families)
        }
        return RocksEngine(
            database: database, configuration: configuration, cache: cache, loadingDirectory: directory.incoming)
    }

    /// The families that exist; RocksDB wants all of them opened. A new database has its default one.
    private static func familyNames(_ directory: DataDirectory) throws(StorageError) -> [FamilyName] {
        guard directory.hasDatabase else { return [.root] }
        let names = try opening("list the column families") { () throws(RocksDBError) in
            try Database.listColumnFamilies(path: directory.database)
        }
        var known: [FamilyName] = []
        for name in names {
            guard let family = FamilyName(name) else {
                throw StorageError(.newerFormat, "\(directory.database) has the unknown column family \(name)")
            }
            known.append(family)
        }
        return known
    }
}
