import ByteCoding
import Raft

extension NodeStore {
    /// Locks, checks and opens a node's data directory, or makes it; groups are read by `recover` afterwards.
    ///
    /// The directory of a founder that is one of several is made suspect: see `isSuspect`.
    ///
    /// `progress` gets a sentence now and then, for the log and for systemd: opening replays RocksDB's write-ahead log.
    ///
    /// - Throws: `.locked`, `.wrongIdentity`, `.newerFormat`, `.cannotCreate`, `.permission`, `.corruption` (also for a
    ///   directory that has lost its database: it must not come back empty), `.noSpace`, `.io`.
    package static func open(
        _ configuration: StoreConfiguration, progress: (String) -> Void = { _ in }
    ) throws(StorageError) -> NodeStore {
        switch configuration.engine {
        case .memory:
            return try open(configuration, identity: try .make(for: configuration), engine: MemoryEngine())
        case .rocksdb: return try openDirectory(configuration, progress)
        }
    }

    /// Opens a store over an engine that keeps its own place, e.g. a simulated disk: no directory, no lock, no identity
    /// file.
    ///
    /// - Parameters:
    ///   - identity: Whose store it is; the same at every start, but for `isNew`: whether the engine was never opened
    ///     to the end before.
    ///   - files: Where snapshots are kept.
    /// - Throws: as `open(_:progress:)`.
    package static func open(
        _ configuration: StoreConfiguration, identity: Identity, engine: some StorageEngine,
        files: any SnapshotFiles = MemoryFiles()
    ) throws(StorageError) -> NodeStore {
        try open(configuration, identity, engine, files, lock: nil)
    }

    /// Whose directory this is, without opening it; nil for one that is not there, is empty, or was given up before its
    /// identity was written. `Identity.isNew`: it was not completed, and the next `open` goes on with it.
    ///
    /// - Throws: `.corruption`, `.newerFormat`, `.permission`, `.io`.
    package static func existingIdentity(in directory: String) throws(StorageError) -> Identity? {
        try DataDirectory(path: directory).existingIdentity()
    }

    private static func openDirectory(
        _ configuration: StoreConfiguration, _ progress: (String) -> Void
    ) throws(StorageError) -> NodeStore {
        let directory = DataDirectory(path: configuration.directory)
        try FileSystem.makeDirectories(directory.path)
        let lock = try DirectoryLock(path: directory.lock)
        let identity = try directory.establishIdentity(for: configuration)
        if identity.isNew {
            progress("making the database in \(directory.database)")
        } else {
            let walBytes = FileSystem.totalBytes(of: ".log", in: directory.database)
            progress("opening \(directory.database) with \(walBytes >> 20) MiB of write-ahead log")
        }
        // A repair that was killed may have left its links.
        try directory.removeTableView()
        try directory.makeRoom(forFree: configuration.minFreeBytesAtStart, progress)
        Failpoint.recoverBeforeOpen.reach()
        let leftOut = identity.isNew ? nil : DamageLocator.endOfManifest(in: directory)
        let engine = try RocksEngine.open(directory, configuration, creating: identity.isNew)
        Failpoint.recoverAfterOpen.reach()
        let store: NodeStore
        do throws(StorageError) {
            store = try open(
                configuration, identity, engine, try DirectoryFiles(root: directory.path), lock: lock)
        } catch {
            guard error.kind == .corruption, let leftOut else { throw error }
            var explained = error
            explained.message += "; \(leftOut)"
            throw explained
        }
        Failpoint.foundBeforeMark.reach(when: identity.isNew)
        try directory.markInitialized()
        if try directory.isMarkedSuspect {
            try store.records.setMetadata(MetadataKey.suspect, Suspicion.record(Suspicion.repaired))
            try directory.unmarkSuspect()
        }
        return store
    }

    private static func open(
        _ configuration: StoreConfiguration, _ identity: Identity, _ engine: some StorageEngine,
        _ files: any SnapshotFiles, lock: DirectoryLock?
    ) throws(StorageError) -> NodeStore {
        try files.removeLeftovers()
        let records = try EngineRecordStore.open(engine, identity)
        return NodeStore(
            configuration: configuration, identity: identity, records: records, files: files, lock: lock,
            peers: try peers(of: records))
    }

    private static func peers(of records: some RecordStore) throws(StorageError) -> [NodeID: UInt64] {
        var peers: [NodeID: UInt64] = [:]
        for (key, value) in try records.allMetadata() {
            guard let node = MetadataKey.peer(of: key) else { continue }
            peers[node] = try NumberRecord.decode(value, key: key, "incarnation of node \(node)")
        }
        return peers
    }
}
