import Raft
import Synchronization

/// The snapshots that a node keeps: at most one finished of its own for each group, and at most one incoming.
final class SnapshotShelf: Sendable {
    let files: any SnapshotFiles
    private let own = Mutex<[GroupID: SnapshotDescription]>([:])
    /// Held while a snapshot is made: who asks meanwhile gets the same.
    private let making = Mutex(())
    private let incoming = Mutex<[GroupID: SnapshotWriter]>([:])

    init(files: any SnapshotFiles) { self.files = files }

    /// The finished snapshot of the group if it is not older than `notBefore`, else what `make` writes.
    func reuse(
        _ group: GroupID, notBefore: LogIndex,
        orMake make: (any SnapshotFile) throws(StorageError) -> SnapshotDescription
    ) throws(StorageError) -> SnapshotReader {
        try making.withLock { (_) throws(StorageError) in
            let old = own.withLock { $0[group] }
            if let old, old.meta.index >= notBefore, let file = try files.open(Self.name(of: old)) {
                return SnapshotReader(file, old)
            }
            Failpoint.snapshotMakeBefore.reach()
            let draft = "\(SnapshotFolder.own)/\(group).tmp"
            let file = try files.create(draft)
            let description: SnapshotDescription
            do throws(StorageError) { description = try make(file) } catch {
                try files.remove(draft)
                throw error
            }
            let name = Self.name(of: description)
            do throws(StorageError) {
                try Failpoint.snapshotMakeBeforeRename.reachOrFail()
                try files.rename(draft, to: name)
            } catch {
                // It may have its new name, and that not durably.
                for name in [draft, name] { try files.remove(name) }
                throw error
            }
            Failpoint.snapshotMakeAfterRename.reach()
            own.withLock { $0[group] = description }
            if let old, Self.name(of: old) != name { try files.remove(Self.name(of: old)) }
            return SnapshotReader(file, description)
        }
    }

    /// Removes the group's own snapshot if it is older than `index`: the log does not reach it any more.
    func removeOwn(_ group: GroupID, before index: LogIndex) throws(StorageError) {
        let old = own.withLock { own -> SnapshotDescription? in
            guard let old = own[group], old.meta.index < index else { return nil }
            own[group] = nil
            return old
        }
        if let old { try files.remove(Self.name(of: old)) }
    }

    /// Reads the group's own snapshot front to back, and drops it if it is not what was made.
    ///
    /// - Parameter check: asked for each pair; what it throws ends the reading, and the snapshot stays.
    /// - Returns: what is wrong with it; nil if nothing is, or there is none.
    func recheckOwn(_ group: GroupID, _ check: () throws(StorageError) -> Void) throws(StorageError) -> String? {
        guard let description = own.withLock({ $0[group] }), let file = try files.open(Self.name(of: description))
        else {
            return nil
        }
        do throws(SnapshotError) {
            var decoder = try SnapshotDecoder(file, description)
            try decoder.read { (_, _) throws(StorageError) in try check() }
            return nil
        } catch {
            switch error {
            case .malformed(let fault):
                try removeOwn(group, before: description.meta.index.next)
                return fault
            case .storage(let error): throw error
            }
        }
    }

    /// Removes the parts of other snapshots of the group, and gives up the transfer of one that is under way.
    ///
    /// - Returns: how many bytes of this very snapshot are here.
    func makeWay(for description: SnapshotDescription, from sender: NodeID) throws(StorageError) -> UInt64 {
        try incoming.withLock { (incoming) throws(StorageError) in
            let name = Self.partName(of: description, from: sender)
            if let writer = incoming[description.group], writer.name != name {
                writer.close()
                incoming[description.group] = nil
            }
            try removeParts(of: description.group, but: name)
            return try files.open(name)?.byteCount() ?? 0
        }
    }

    /// Goes on with the part of this very snapshot that is here, or begins anew; whatever else came in is dropped.
    func receive(_ description: SnapshotDescription, from sender: NodeID) throws(SnapshotError) -> SnapshotWriter {
        try incoming.withLock { (incoming) throws(SnapshotError) in
            incoming[description.group]?.close()
            let name = Self.partName(of: description, from: sender)
            let writer = try snapshot { () throws(StorageError) in
                try removeParts(of: description.group, but: name)
                let part = try files.open(name)
                let file = if let part { part } else { try files.create(name) }
                return SnapshotWriter(
                    file, name: name, in: files, offset: try file.byteCount(), description)
            }
            incoming[description.group] = writer
            return writer
        }
    }

    private func removeParts(of group: GroupID, but kept: String) throws(StorageError) {
        for part in try files.names(in: SnapshotFolder.incoming)
        where part.hasPrefix("\(group)-") && !part.hasSuffix(".snap") {
            let name = "\(SnapshotFolder.incoming)/\(part)"
            if name != kept { try files.remove(name) }
        }
    }

    private static func partName(of description: SnapshotDescription, from sender: NodeID) -> String {
        "\(SnapshotFolder.incoming)/\(description.fileName(from: sender))"
    }

    private static func name(of description: SnapshotDescription) -> String {
        "\(SnapshotFolder.own)/\(description.group)-\(description.meta.index)-\(description.meta.id.term).snap"
    }
}
