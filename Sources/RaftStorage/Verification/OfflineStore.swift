package import ByteCoding
import KeyValue
package import Raft
import RocksDB

/// A node's data directory, to be looked at while no node runs on it. Nothing in it changes, not one byte.
///
/// Owned by one thread.
package final class OfflineStore {
    package let identity: Identity
    let directory: DataDirectory
    let engine: RocksEngine
    let records: EngineRecordStore<RocksEngine>
    /// Which of the families `state.<n>` is the state.
    package let generation: UInt64
    /// Keeps nodes out meanwhile; nil if none was ever here.
    private let lock: DirectoryLock?

    init(
        _ directory: DataDirectory, _ identity: Identity, _ engine: RocksEngine,
        _ records: EngineRecordStore<RocksEngine>, generation: UInt64, lock: DirectoryLock?
    ) {
        self.directory = directory
        self.identity = identity
        self.engine = engine
        self.records = records
        self.generation = generation
        self.lock = lock
    }

    /// What stands beside the log's entries.
    package func head(of group: GroupID) throws(StorageError) -> StoredHead {
        let head = try records.log.head(of: group)
        return StoredHead(hardState: head.hardState, truncated: head.truncated, commit: head.commit)
    }

    /// How far the state has come, with membership and directory as of there; nil before anything was applied.
    package func appliedPosition(_ group: GroupID) throws(StorageError) -> AppliedPosition? {
        let key = AppliedRecord.key(group: group.rawValue)
        let value = try storage("read the applied record of group \(group)") { () throws(EngineError) in
            try engine.value(of: key, in: state)
        }
        return try value.map { (value) throws(StorageError) in try AppliedPosition(record: value, group: group) }
    }

    /// Gives `body` the entries that exist within `indexes`, ascending and each one checked by itself, until it returns
    /// false.
    ///
    /// - Throws: `.corruption` at the first entry that is not what was written.
    package func scanLog(
        _ group: GroupID, _ indexes: ClosedRange<LogIndex>, _ body: (Entry) throws(StorageError) -> Bool
    ) throws(StorageError) {
        try records.log.scan(group, indexes, body)
    }

    /// Gives `body` users' keys and stored values (see `ValueHeader`), ascending from `first` on, until it returns false.
    /// Both are valid only during the call.
    package func scanKeys(
        _ group: GroupID, from first: Bytes,
        _ body: (_ key: UnsafeRawBufferPointer, _ stored: UnsafeRawBufferPointer) -> Bool
    ) throws(StorageError) {
        let upper = StateKey.userRange(group: group.rawValue).upper
        try storage("read the state") { () throws(EngineError) in
            try engine.scan(
                from: StateKey.user(first, group: group.rawValue), to: upper, in: state, at: nil, isLong: true
            ) { key, value in
                body(UnsafeRawBufferPointer(rebasing: key[StateKey.userPrefixBytes...]), value)
            }
        }
    }

    /// Whether this node must not vote: see `NodeStore.isSuspect`.
    package func isSuspect() throws(StorageError) -> Bool {
        guard let value = try records.metadata(MetadataKey.suspect) else { return false }
        return try NumberRecord.decode(value, key: MetadataKey.suspect, "suspect flag") != 0
    }

    /// Whether the cluster has removed this node.
    package func isRemoved() throws(StorageError) -> Bool {
        guard let value = try records.metadata(MetadataKey.removed) else { return false }
        return try NumberRecord.decode(value, key: MetadataKey.removed, "note of the removal") != 0
    }

    /// The incarnations under which other nodes were met first, ascending by node.
    package func peers() throws(StorageError) -> [(node: NodeID, incarnation: UInt64)] {
        var peers: [(node: NodeID, incarnation: UInt64)] = []
        for (key, value) in try records.allMetadata() {
            guard let node = MetadataKey.peer(of: key) else { continue }
            peers.append((node, try NumberRecord.decode(value, key: key, "incarnation of node \(node)")))
        }
        return peers
    }

    /// Entries of the log, with what stands beside them: an estimate.
    package var estimatedEntries: UInt64 {
        engine.database.integerProperty("rocksdb.estimate-num-keys", of: engine.family(.raft)) ?? 0
    }

    /// Users' keys, with what else the state holds: an estimate.
    package var estimatedKeys: UInt64 {
        engine.database.integerProperty("rocksdb.estimate-num-keys", of: state) ?? 0
    }

    var state: ColumnFamily { records.stateFamily }
}

/// What stands beside the entries of a group's log.
package struct StoredHead: Hashable, Sendable {
    package var hardState: HardState
    /// The last entry that was cut off.
    package var truncated: EntryID
    /// The commit index that was known when entries were last written.
    package var commit: LogIndex
}
