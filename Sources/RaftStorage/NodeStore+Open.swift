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
            let store = NodeStore(
                configuration: configuration, identity: try .make(for: configuration), engine: MemoryEngine(),
                lock: nil, peers: [:])
            try store.setSuspect(store.identity.isBornSuspect)
            return store
        case .rocksdb: return try openDirectory(configuration, progress)
        }
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
        let engine = try RocksEngine.open(directory, configuration, identity)
        if identity.isNew { try directory.markInitialized() }
        return NodeStore(
            configuration: configuration, identity: identity, engine: engine, lock: lock, peers: try peers(of: engine))
    }

    private static func peers(of engine: any StorageEngine) throws(StorageError) -> [NodeID: UInt64] {
        var peers: [NodeID: UInt64] = [:]
        for (key, value) in try engine.allMetadata() {
            guard let node = MetadataKey.peer(of: key) else { continue }
            peers[node] = try NumberRecord.decode(value, key: key, "incarnation of node \(node)")
        }
        return peers
    }
}
