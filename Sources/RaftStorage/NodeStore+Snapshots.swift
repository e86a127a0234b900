import ByteCoding
import KeyValue
package import Raft
import Synchronization

extension NodeStore {
    // MARK: Making

    /// A snapshot of the group's state as it is applied at some moment of the call, as a file. Writes and reads go on
    /// meanwhile; the time it takes is that of reading the whole state.
    ///
    /// At most one finished snapshot is kept. It serves again as long as the log reaches back to it, so that several
    /// followers get the same file. Any thread that may wait for a disk.
    ///
    /// - Parameters:
    ///   - notBefore: An older one does not serve: make another.
    ///   - check: Asked where one has to be made: with 0 before anything is written, then before the file grows by a block,
    ///     with its bytes (256 KiB, more where values are larger; the last one may be smaller and is not asked for). What it
    ///     throws ends the making, which leaves nothing behind.
    /// - Throws: `.noSpace`: then only the snapshot failed, and left nothing behind; `.invariant` before anything was
    ///   applied; what `check` throws; anything else must stop the node.
    package func makeSnapshot(
        _ group: GroupID, notBefore: LogIndex = .zero,
        check: (_ bytes: Int) throws(StorageError) -> Void = { (_: Int) throws(StorageError) in }
    ) throws(StorageError) -> SnapshotReader {
        let oldest = max(notBefore, try bounds(of: group).truncated.index)
        return try shelf.reuse(group, notBefore: oldest) { (file) throws(StorageError) in
            try check(0)
            var encoder: SnapshotEncoder?
            try records.scanState(of: group) { (key, value) throws(StorageError) in
                if encoder == nil { encoder = try SnapshotEncoder(header(group, key, value), to: file) }
                try encoder?.add(key, value, beforeBlock: check)
            }
            guard let description = try encoder?.finish() else { throw Self.nothingApplied(group) }
            return description
        }
    }

    /// The first pair of a group's state is its applied record: what the snapshot stands for is of its very moment.
    private func header(
        _ group: GroupID, _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer
    ) throws(StorageError) -> SnapshotHeader {
        guard Bytes(copying: key) == AppliedRecord.key(group: group.rawValue) else { throw Self.nothingApplied(group) }
        let position = try AppliedPosition(record: Bytes(copying: value), group: group)
        let meta = SnapshotMeta(id: position.id, membership: position.membership)
        return SnapshotHeader(group: group, clusterID: identity.clusterID, meta: meta)
    }

    private static func nothingApplied(_ group: GroupID) -> StorageError {
        StorageError(.invariant, "there is no snapshot of group \(group): nothing was applied yet")
    }

    /// Reads this node's own snapshot, after a receiver found fault with it, and drops it if it is damaged: the next
    /// `makeSnapshot` makes another. Takes as long as reading the file.
    ///
    /// - Parameter check: asked again and again meanwhile; what it throws ends the reading, and the snapshot stays.
    /// - Returns: what is wrong with it; nil if nothing is.
    package func recheckSnapshot(
        _ group: GroupID, check: () throws(StorageError) -> Void = { () throws(StorageError) in }
    ) throws(StorageError) -> String? {
        try shelf.recheckOwn(group, check)
    }

    /// Removes this node's own snapshot unless it is newer than `index`: it can't be read. The next `makeSnapshot` makes
    /// another.
    package func dropSnapshot(of group: GroupID, through index: LogIndex) throws(StorageError) {
        try shelf.removeOwn(group, before: index.next)
    }

    // MARK: Receiving

    /// Begins to receive a snapshot, or goes on where a transfer of the very same one from `sender` broke off: at
    /// `SnapshotWriter.offset`. A transfer of the group that was under way is given up.
    ///
    /// - Throws: `.malformed` for a snapshot that is not for this node; `.storage`.
    package func receiveSnapshot(
        _ description: SnapshotDescription, from sender: NodeID
    ) throws(SnapshotError) -> SnapshotWriter {
        try checkReceivable(description)
        Failpoint.snapshotReceiveBefore.reach()
        return try shelf.receive(description, from: sender)
    }

    /// Gives back what has come of other snapshots of the group, as `receiveSnapshot` would do: before the room for this
    /// one is judged.
    ///
    /// - Returns: how many bytes of this very one from `sender` are here already.
    /// - Throws: `.malformed` for a snapshot that is not for this node; `.storage`.
    package func makeWay(
        for description: SnapshotDescription, from sender: NodeID
    ) throws(SnapshotError) -> UInt64 {
        try checkReceivable(description)
        return try snapshot { () throws(StorageError) in try shelf.makeWay(for: description, from: sender) }
    }

    private func checkReceivable(_ description: SnapshotDescription) throws(SnapshotError) {
        guard description.clusterID == identity.clusterID else {
            throw .malformed("the snapshot is of cluster \(description.clusterID.hex), not \(identity.clusterID.hex)")
        }
        guard logs.withLock({ $0[description.group] != nil }) else {
            throw .malformed("the snapshot is of group \(description.group), which this node does not have")
        }
    }

    /// Removes a snapshot that is not wanted after all.
    package func discard(_ received: ReceivedSnapshot) throws(StorageError) { try shelf.files.remove(received.name) }

    // MARK: Installing

    /// Replaces the state by the snapshot's and the log by an empty one behind it, in one durable step: a crash at any
    /// moment leaves all of the old or all of the new, and the next `open` removes the rest. The hard state stays.
    ///
    /// Afterwards `truncated` is the snapshot's id, and `last`, `commit` and `applied` are its index. Who reads `state`
    /// meanwhile reads the old one to the end; later reads see the new one.
    ///
    /// Call it on the log writer's thread while nothing is being applied; the core asks for no write of entries before
    /// it hears of the end. It waits for `flushState` and lets no other run.
    ///
    /// - Throws: `.invariant` for a snapshot that would take the state back; anything else is final.
    package func install(_ received: ReceivedSnapshot) throws(StorageError) {
        let (group, meta) = (received.description.group, received.description.meta)
        try failStop { () throws(StorageError) in
            try upkeep.withLock { (_) throws(StorageError) in
                let bounds = try self.bounds(of: group)
                try checkInstallable(meta, group, bounds)
                try Failpoint.installBefore.reachOrFail()
                guard let file = try shelf.files.open(received.name) else {
                    throw Self.damaged(received.name, "it is gone")
                }
                try records.replaceState(of: group, at: meta.id, truncated: bounds.truncated) {
                    (loader) throws(StorageError) in
                    try Self.load(file, received.description, into: loader)
                }
                logs.withLock {
                    $0[group] = LogBounds(truncated: meta.id, last: meta.index, commit: meta.index)
                }
                try shelf.files.remove(received.name)
                Failpoint.installAfterRemove.reach()
                try shelf.removeOwn(group, before: meta.index)
            }
        }
    }

    private func checkInstallable(_ meta: SnapshotMeta, _ group: GroupID, _ bounds: LogBounds) throws(StorageError) {
        guard logs.withLock({ $0.count }) == 1 else {
            throw StorageError(.invariant, "a snapshot replaces the state of all groups, and there are several")
        }
        let applied = try appliedPosition(group)?.id.index ?? .zero
        guard meta.index > applied, meta.index > bounds.truncated.index else {
            throw StorageError(
                .invariant, "a snapshot at \(meta.index) of group \(group) would take back what is applied: \(applied)")
        }
        let term = try records.log.head(of: group).hardState.term
        guard meta.id.term <= term else {
            throw StorageError(
                .invariant, "a snapshot of term \(meta.id.term) came before the term was noted: it is \(term)")
        }
    }

    /// Nothing that this node promised is in such a file: the next start removes it, and it is fetched again.
    private static func damaged(_ name: String, _ what: String) -> StorageError {
        StorageError(
            .io, "\(name) was checked when it came, and is damaged now: \(what)",
            remedy: "start the node again, and check the disk: what it holds goes wrong")
    }

    private static func load(
        _ file: any SnapshotFile, _ description: SnapshotDescription, into loader: any FamilyLoader
    ) throws(StorageError) {
        do throws(SnapshotError) {
            var decoder = try SnapshotDecoder(file, description)
            try decoder.read { (key, value) throws(StorageError) in
                try Failpoint.installWhileLoading.reachOrFail()
                try storage("load the snapshot") { () throws(EngineError) in try loader.put(key, value) }
            }
        } catch {
            switch error {
            case .malformed(let what): throw damaged("a snapshot", what)
            case .storage(let error): throw error
            }
        }
    }
}
