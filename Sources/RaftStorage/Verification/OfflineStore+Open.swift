import ByteCoding

extension OfflineStore {
    /// - Throws: `.locked` while a node runs on the directory, `.wrongIdentity` for what is no node's directory,
    ///   `.newerFormat`, `.corruption` with what it was found in, `.permission`, `.io`.
    package static func open(_ path: String) throws(StorageError) -> OfflineStore {
        let directory = DataDirectory(path: path)
        let lock = try DirectoryLock(lookingAt: directory.lock)
        return try open(directory, try identity(of: directory), lock)
    }

    /// The identity of a directory that was completed once.
    static func identity(of directory: DataDirectory) throws(StorageError) -> Identity {
        guard try FileSystem.exists(directory.path) else {
            throw StorageError(.wrongIdentity, "\(directory.path) does not exist", remedy: "check the data directory")
        }
        guard let identity = try directory.existingIdentity() else {
            guard try directory.wasUsed else {
                throw StorageError(
                    .wrongIdentity, "\(directory.path) is no node's data directory", remedy: "check the data directory")
            }
            throw StorageError(
                .corruption, "\(directory.identity) is missing, although a node has run on \(directory.path)")
        }
        guard try directory.hasDatabase else {
            guard !identity.isNew else {
                throw StorageError(
                    .wrongIdentity, "\(directory.path) was begun and never completed: there is nothing in it yet",
                    remedy: "start the node, which goes on with it")
            }
            throw StorageError(
                .corruption, "the database of node \(identity.node) is missing from \(directory.database)")
        }
        return identity
    }

    static func open(
        _ directory: DataDirectory, _ identity: Identity, _ lock: DirectoryLock?
    ) throws(StorageError) -> OfflineStore {
        let engine = try RocksEngine.openReadOnly(directory)
        let (records, generation) = try EngineRecordStore.look(at: engine, identity)
        return OfflineStore(directory, identity, engine, records, generation: generation, lock: lock)
    }
}
