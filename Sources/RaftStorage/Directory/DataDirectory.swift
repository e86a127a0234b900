/// The files of a data directory.
///
/// ```
/// LOCK         held while a process uses the directory
/// IDENTITY     whose directory it is
/// initialized  the database was completed once: from then on it must be there
/// db/          the database
/// snapshots/   a finished snapshot of the state; emptied at every start
/// incoming/    what comes of others' snapshots; emptied at every start
/// ```
/// IDENTITY comes first and `initialized` last, so that a crash between them is told apart from a database that was
/// lost: a node that lost its disk must not come back empty and vote a second time.
struct DataDirectory: Sendable {
    let path: String
    var lock: String { path + "/LOCK" }
    var identity: String { path + "/IDENTITY" }
    var initialized: String { path + "/initialized" }
    var database: String { path + "/db" }
    var incoming: String { path + "/" + SnapshotFolder.incoming }
    /// RocksDB writes this file last when it makes a database, and replaces it atomically ever after.
    private var current: String { database + "/CURRENT" }

    var isInitialized: Bool { FileSystem.exists(initialized) }
    var hasDatabase: Bool { FileSystem.exists(current) }

    func markInitialized() throws(StorageError) {
        try FileSystem.write(Array("roost-initialized 1\n".utf8), to: initialized)
    }

    /// The identity of a directory in use or half made, nil for another.
    func existingIdentity() throws(StorageError) -> Identity? {
        guard let bytes = try FileSystem.read(identity) else { return nil }
        var found = try IdentityFile.decode(bytes, path: identity)
        found.isNew = !isInitialized
        return found
    }

    /// Reads the identity of a directory in use, or makes one for an empty directory.
    ///
    /// - Throws: `.corruption` when something durable is gone, `.wrongIdentity`, `.newerFormat`.
    func establishIdentity(for configuration: StoreConfiguration) throws(StorageError) -> Identity {
        guard let found = try existingIdentity() else {
            if isInitialized || hasDatabase {
                throw StorageError(.corruption, "\(identity) is missing, although \(path) holds a database")
            }
            let made = try Identity.make(for: configuration)
            try FileSystem.write(IdentityFile.encode(made), to: identity)
            return made
        }
        try found.check(against: configuration)
        if isInitialized && !hasDatabase {
            throw StorageError(.corruption, "the database of node \(found.node) is missing from \(database)")
        }
        return found
    }
}
