import ByteCoding
import KeyValue
package import Raft
import Synchronization

/// A node's durable memory: its identity, the logs of its groups, and the state that they build.
///
/// Threads: `write`, `truncateLog` and `install` belong to one thread, the log writer's, and the state's writes to
/// another, the applier's; `install` does not run beside the latter. Everything else, `flushState` and `makeSnapshot`
/// too, may be called from any thread that may wait for a disk, and `state`'s reads with tier `.memory` from any thread
/// at all.
///
/// Failing: the first error of a write, a flush or a cut is final. It is thrown again by every later call of these, and
/// the process must end by `abandon()` and exit: after a failed sync nobody knows what the disk holds, and an orderly
/// close could write more.
package final class NodeStore: Sendable {
    package let identity: Identity
    let configuration: StoreConfiguration
    let shelf: SnapshotShelf
    /// Held by whatever must not run beside an install.
    let upkeep = Mutex(())
    let records: any RecordStore
    /// Nil without a directory.
    private let lock: Mutex<DirectoryLock?>
    /// What is known of each group since `recover`.
    let logs = Mutex<[GroupID: LogBounds]>([:])
    private let peers: Mutex<[NodeID: UInt64]>
    private let failure = Mutex<StorageError?>(nil)
    /// Held by who removes the copy from before a repair: that happens when the node is trusted, and when room is short.
    private let copyRemoval = Mutex(())

    init(
        configuration: StoreConfiguration, identity: Identity, records: any RecordStore, files: any SnapshotFiles,
        lock: DirectoryLock?, peers: [NodeID: UInt64]
    ) {
        self.configuration = configuration
        self.identity = identity
        self.records = records
        shelf = SnapshotShelf(files: files)
        self.lock = Mutex(lock)
        self.peers = Mutex(peers)
    }

    /// The state of all groups. Writes to it are not logged: they are durable after `flushState`, or when the log,
    /// whose entries they come from, is replayed.
    package var state: NodeState { records.state }

    package func statistics() -> StoreStatistics { records.statistics() }

    /// RocksDB's own account of the state's compactions and of all counters and histograms, as text for experts; nil
    /// for other engines.
    package func engineReport() -> String? { records.report() }

    /// Flushes the state, closes in order and gives the directory free. Call it when nothing else runs any more.
    ///
    /// - Throws: the error that made the store fail, now or before; then `abandon()` is what remains.
    package func close() throws(StorageError) {
        try failStop { () throws(StorageError) in
            Failpoint.closeBeforeFlush.reach()
            try records.flushState()
            Failpoint.closeBeforeClose.reach()
            try records.close()
        }
        lock.withLock { $0 = nil }
    }

    /// Gives up without writing or closing anything, for a process that exits at once. The kernel frees the directory.
    package func abandon() { records.abandon() }

    // MARK: The state's durability

    /// The last entry whose effects a crash at this moment would leave; `.zero` for none. Advances by `flushState` and
    /// by flushes that RocksDB does by itself. After an error nothing more is written: what is on the disk is not what was.
    package func durableApplied(_ group: GroupID) throws(StorageError) -> EntryID {
        try failStop { () throws(StorageError) in
            let key = AppliedRecord.key(group: group.rawValue)
            guard let value = try records.persistedState(key) else { return .zero }
            return try AppliedPosition(record: value, group: group).id
        }
    }

    /// Makes everything durable that was committed to the state before the call, and waits for it: 50-70 ms for a full
    /// memtable of 32 MiB.
    package func flushState() throws(StorageError) {
        try failStop { () throws(StorageError) in
            try upkeep.withLock { (_) throws(StorageError) in
                try Failpoint.flushBefore.reachOrFail()
                try records.flushState()
                try Failpoint.flushAfter.reachOrFail()
            }
        }
    }

    /// How far the group is applied, with membership and directory as of there; nil before anything was applied.
    package func appliedPosition(_ group: GroupID) throws(StorageError) -> AppliedPosition? {
        let key = AppliedRecord.key(group: group.rawValue)
        let value: Bytes?
        do {
            value = try key.withUnsafeBytes { (key) throws(StateStoreError) in
                try state.read(key, tier: .all) { $0.map { Bytes(copying: $0) } }
            }
        } catch { throw StorageError(error, while: "read the applied record of group \(group)") }
        return try value.map { (value) throws(StorageError) in try AppliedPosition(record: value, group: group) }
    }

    // MARK: Peers

    /// The incarnation under which that node was met first; nil if it never was. Never waits.
    package func peerIncarnation(of node: NodeID) -> UInt64? { peers.withLock { $0[node] } }

    /// Notes a peer's incarnation, durable on return. Waits for the disk, unless it was noted before.
    package func record(incarnation: UInt64, of node: NodeID) throws(StorageError) {
        if peerIncarnation(of: node) == incarnation { return }
        let key = MetadataKey.peer(node)
        try failStop { () throws(StorageError) in
            try Failpoint.peerBeforeWrite.reachOrFail()
            try records.setMetadata(key, NumberRecord.encode(incarnation, key: key))
            Failpoint.peerAfterWrite.reach()
        }
        peers.withLock { $0[node] = incarnation }
    }

    // MARK: Suspicion

    /// Whether this node must not vote, because it may have forgotten what it promised: see `RestoredState.mayVote`. So
    /// from the first moment in a new directory of one founder of several, until `setSuspect(false)`.
    package func isSuspect() throws(StorageError) -> Bool {
        guard let value = try records.metadata(MetadataKey.suspect) else { return false }
        return try NumberRecord.decode(value, key: MetadataKey.suspect, "suspect flag") != 0
    }

    /// Notes or lifts the suspicion, durable on return.
    package func setSuspect(_ isSuspect: Bool) throws(StorageError) {
        try failStop { () throws(StorageError) in
            try Failpoint.suspectBeforeWrite.reachOrFail()
            // All that it was kept for is here, or was never promised.
            if !isSuspect { try dropCopy() }
            try records.setMetadata(
                MetadataKey.suspect, Suspicion.record(isSuspect ? Suspicion.newFounder : Suspicion.none))
            Failpoint.suspectAfterWrite.reach()
        }
    }

    /// Bytes of disk that the database from before a repair holds (`Repair.run`); 0 where there is none.
    package var copyBeforeRepairBytes: UInt64 { hasDirectory ? dataDirectory.copyBytes : 0 }

    /// Gives that database up. While the node is suspect it may hold what nobody else has, unless a leader is known to have
    /// a majority without this node. Does nothing where there is none. Any thread that may wait for a disk.
    package func dropCopyBeforeRepair() throws(StorageError) {
        try failStop { () throws(StorageError) in try dropCopy() }
    }

    private func dropCopy() throws(StorageError) {
        guard hasDirectory else { return }
        try copyRemoval.withLock { (_) throws(StorageError) in try dataDirectory.removeCopy() }
    }

    private var hasDirectory: Bool { lock.withLock { $0 != nil } }
    private var dataDirectory: DataDirectory { DataDirectory(path: configuration.directory) }

    /// Whether this node is suspect because it was repaired and has certainly forgotten something. It is no new founder
    /// then, however empty its log is: only a leader can lift the suspicion.
    package func hasForgotten() throws(StorageError) -> Bool {
        guard let value = try records.metadata(MetadataKey.suspect) else { return false }
        return try NumberRecord.decode(value, key: MetadataKey.suspect, "suspect flag") == Suspicion.repaired
    }

    // MARK: Who could send it again

    /// Notes what this node is to the others, durable on return: what it must know before it gives up what they may have,
    /// when its database can't tell any more. Writes only what is new.
    package func noteMembership(_ membership: Membership) throws(StorageError) {
        guard lock.withLock({ $0 != nil }) else { return }
        let directory = DataDirectory(path: configuration.directory)
        let hasMetNobody = peers.withLock(\.isEmpty)
        let company = Company(of: identity.node, in: membership, hasMetNobody: hasMetNobody)
        if try Company(notedIn: directory) == company { return }
        try failStop { () throws(StorageError) in try company.note(in: directory) }
    }

    // MARK: Removal

    /// Whether the cluster has removed this node: it has nothing to do any more, now and at every later start.
    package func isRemoved() throws(StorageError) -> Bool {
        guard let value = try records.metadata(MetadataKey.removed) else { return false }
        return try NumberRecord.decode(value, key: MetadataKey.removed, "note of the removal") != 0
    }

    /// Notes that the cluster has removed this node, durable on return. There is no way back.
    package func setRemoved() throws(StorageError) {
        try failStop { () throws(StorageError) in
            try Failpoint.leaveBeforeWrite.reachOrFail()
            try records.setMetadata(MetadataKey.removed, NumberRecord.encode(1, key: MetadataKey.removed))
            Failpoint.leaveAfterWrite.reach()
        }
    }

    // MARK: The engine's own work

    /// How many errors the engine has met in flushes and compactions that it does by itself, in this process. Cheap; any
    /// thread.
    package var backgroundErrors: UInt64 { records.backgroundErrors }

    /// Asks the engine whether it has stopped for one of them. It goes on only after a compaction that found no room: what
    /// that one should have replaced is all there.
    ///
    /// - Throws: the error that stopped it, with what is damaged.
    package func checkEngine() throws(StorageError) {
        try failStop { () throws(StorageError) in try records.checkEngine() }
    }

    // MARK: Failing

    /// Runs what changes the disk, unless that failed before.
    func failStop<R>(_ body: () throws(StorageError) -> R) throws(StorageError) -> R {
        if let failure = failure.withLock({ $0 }) { throw failure }
        do { return try body() } catch {
            let located = records.locate(error)
            // A refused call changed nothing: the store goes on.
            if located.kind != .invariant { failure.withLock { $0 = $0 ?? located } }
            throw located
        }
    }
}
