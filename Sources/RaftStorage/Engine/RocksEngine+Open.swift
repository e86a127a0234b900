import ByteCoding
import RocksDB

extension RocksEngine {
    /// Opens a directory's database with every family that it has, or makes an empty one.
    ///
    /// - Throws: `.corruption`, `.newerFormat` for families of a later version, and what the operating system says.
    static func open(
        _ directory: DataDirectory, _ configuration: StoreConfiguration, creating: Bool
    ) throws(StorageError) -> RocksEngine {
        try checkLogEnds(directory)
        return try open(directory, configuration, RocksLayout.databaseOptions(configuration, creating: creating))
    }

    /// Opens a directory's database although its write-ahead log may be damaged: everything behind the first damage is
    /// dropped, so that what is left is what the database once held.
    ///
    /// - Throws: as `open`; `.corruption` when tables hold more than what is left of the log.
    static func openDamaged(
        _ directory: DataDirectory, tolerating tolerance: Tolerance
    ) throws(StorageError) -> RocksEngine {
        var configuration = StoreConfiguration(directory: directory.path, origin: .existing)
        // It would come upon what is to be dropped.
        configuration.compactsByItself = false
        var options = RocksLayout.databaseOptions(configuration, creating: false)
        options.walRecovery = .pointInTime
        options.trackAndVerifyWALs = false
        if tolerance == .tables { options.extra += ";paranoid_checks=false" }
        return try open(directory, configuration, options)
    }

    /// What opening may find damaged and go on: reading it fails later.
    enum Tolerance {
        case nothing
        /// Table files that can't be opened, or are gone. Damage of the write-ahead log is then passed over too: only for
        /// who gives up what stands in it.
        case tables
    }

    /// Shows `body` what is in the directory's table files, whatever the write-ahead log is like, and changes nothing.
    ///
    /// The database that is opened is one of links to the tables, in a folder of its own, without log files. RocksDB 7.8
    /// can't open the original so: where the MANIFEST names log files that this open is not to look for, it wants to
    /// note that they are gone, which it can't while it only reads, and Debian's build aborts the process
    /// (`DBImpl::Recover`: Assertion `recovery_ctx != nullptr`).
    ///
    /// - Throws: as `open`, and what `body` throws.
    static func withTables<R>(
        of directory: DataDirectory, _ body: (RocksEngine) throws(StorageError) -> R
    ) throws(StorageError) -> R {
        let view = try directory.makeTableView()
        let configuration = StoreConfiguration(directory: view.path, origin: .existing)
        var options = RocksLayout.databaseOptions(configuration, creating: false)
        options.trackAndVerifyWALs = false
        let result: Result<R, StorageError>
        do throws(StorageError) {
            let engine = try open(view, configuration, options)
            do throws(StorageError) { result = .success(try body(engine)) } catch { result = .failure(error) }
            try storage("close \(view.database)") { () throws(EngineError) in try engine.close() }
        } catch {
            try? directory.removeTableView()
            throw error
        }
        try directory.removeTableView()
        return try result.get()
    }

    private static func open(
        _ directory: DataDirectory, _ configuration: StoreConfiguration, _ options: DatabaseOptions,
        readOnly: Bool = false
    ) throws(StorageError) -> RocksEngine {
        // A process that was killed may have written what it never synced. RocksDB takes it for durable, as this node will;
        // and since its recovery flushes nothing (`RocksLayout`), it would not make it so.
        if !readOnly { try FileSystem.syncFiles(named: ".log", in: directory.database) }
        let cache = BlockCache(capacityBytes: configuration.blockCacheBytes)
        let families = try familyNames(directory).map { name in
            (name.description, RocksLayout.familyOptions(name, configuration, cache))
        }
        let database: Database
        do throws(StorageError) {
            database = try opening("open \(directory.database)") { () throws(RocksDBError) in
                try Database(path: directory.database, options: options, columnFamilies: families, readOnly: readOnly)
            }
        } catch { throw DamageLocator.locate(error, in: directory) }
        return RocksEngine(
            database: database, configuration: configuration, cache: cache, loadingDirectory: directory.incoming)
    }

    /// RocksDB takes a damaged length that points behind the end of a log file for a last write that was cut off, and
    /// drops what follows it without a word: look whether anything does.
    private static func checkLogEnds(_ directory: DataDirectory) throws(StorageError) {
        guard try FileSystem.exists(directory.database) else { return }
        for name in try FileSystem.names(in: directory.database).sorted() where name.hasSuffix(".log") {
            let path = directory.database + "/" + name
            if let damage = try JournalFile.damageInLastBlock(of: try DiskFile(path)), !damage.isLast {
                throw StorageError(
                    .corruption, "\(damage.sentence(of: path)), and intact records after it"
                ).advising(.writeAheadLog)
            }
        }
    }

    /// Opens a directory's database to be looked at: what the write-ahead log holds is read into memory, and nothing on
    /// the disk changes. Everything but reading fails.
    ///
    /// - Throws: as `open`.
    static func openReadOnly(_ directory: DataDirectory) throws(StorageError) -> RocksEngine {
        try checkLogEnds(directory)
        let configuration = StoreConfiguration(directory: directory.path, origin: .existing)
        let options = RocksLayout.databaseOptions(configuration, creating: false)
        return try open(directory, configuration, options, readOnly: true)
    }

    /// The families that exist; RocksDB wants all of them opened. A new database has its default one.
    private static func familyNames(_ directory: DataDirectory) throws(StorageError) -> [FamilyName] {
        guard try directory.hasDatabase else { return [.root] }
        let names: [String]
        do throws(StorageError) {
            names = try opening("list the column families of \(directory.database)") { () throws(RocksDBError) in
                try Database.listColumnFamilies(path: directory.database)
            }
        } catch { throw DamageLocator.locate(error, in: directory) }
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
