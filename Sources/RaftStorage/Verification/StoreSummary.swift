package import Raft
import RocksDB

/// What a data directory holds, in short.
package struct StoreSummary: Sendable {
    /// A column family's table files and what the database tells of it.
    package struct Family: Hashable, Sendable {
        package var name: String
        package var files: Int
        package var bytes: UInt64
        /// RocksDB's estimate, with what is still in the write-ahead log.
        package var keys: UInt64
    }

    package var identity: Identity
    package var generation: UInt64
    package var isSuspect: Bool
    package var isRemoved: Bool
    /// No node starts on it: see `Repair.adopt`.
    package var isCopy: Bool
    /// The incarnations under which other nodes were met first, ascending by node.
    package var peers: [(node: NodeID, incarnation: UInt64)]
    package var head: StoredHead
    /// Nil: no entries.
    package var entries: ClosedRange<LogIndex>?
    /// The last entry's.
    package var lastTerm: Term
    /// Nil: nothing was applied.
    package var applied: AppliedPosition?
    package var families: [Family]
    package var writeAheadLogBytes: UInt64
    /// Names below the data directory, with sizes: snapshots made and received. They are removed at the next start.
    package var snapshots: [(name: String, bytes: UInt64)]
}

extension OfflineStore {
    /// Reads all of the log's keys, and next to nothing of the state.
    ///
    /// - Parameter onProgress: gets how many of the log's entries are read, now and then; the total is an estimate.
    /// - Throws: `.corruption`, `.newerFormat`, `.io`.
    package func summary(
        of group: GroupID, onProgress: (VerificationProgress) -> Void = { _ in }
    ) throws(StorageError) -> StoreSummary {
        let head = try head(of: group)
        var first: EntryID?
        var last: EntryID?
        var done: UInt64 = 0
        let total = estimatedEntries
        try scanLog(group, head.truncated.index.next...LogIndex(.max)) { (entry) throws(StorageError) in
            if first == nil { first = entry.id }
            last = entry.id
            done += 1
            if done.isMultiple(of: 1024) { onProgress(VerificationProgress(step: .log, done: done, total: total)) }
            return true
        }
        var entries: ClosedRange<LogIndex>?
        if let first, let last { entries = first.index...last.index }
        return StoreSummary(
            identity: identity, generation: generation, isSuspect: try isSuspect(), isRemoved: try isRemoved(),
            isCopy: try directory.isCopy(), peers: try peers(), head: head, entries: entries,
            lastTerm: last?.term ?? head.truncated.term,
            applied: try appliedPosition(group), families: families,
            writeAheadLogBytes: FileSystem.totalBytes(of: ".log", in: directory.database), snapshots: try snapshots)
    }

    private var families: [StoreSummary.Family] {
        let files = engine.database.liveFiles
        return engine.database.columnFamilyNames.map { name in
            let own = files.filter { $0.columnFamily == name }
            let family = engine.database.columnFamily(name)
            let keys = engine.database.integerProperty("rocksdb.estimate-num-keys", of: family) ?? 0
            return StoreSummary.Family(
                name: name, files: own.count, bytes: own.reduce(0) { $0 + $1.bytes }, keys: keys)
        }
    }

    private var snapshots: [(name: String, bytes: UInt64)] {
        get throws(StorageError) {
            var found: [(name: String, bytes: UInt64)] = []
            for folder in [SnapshotFolder.own, SnapshotFolder.incoming] {
                let path = directory.path + "/" + folder
                guard try FileSystem.exists(path) else { continue }
                for name in try FileSystem.names(in: path).sorted() {
                    found.append((folder + "/" + name, FileSystem.byteCount(of: path + "/" + name)))
                }
            }
            return found
        }
    }
}
