package import Raft

/// Repairs that a node of a cluster does by itself, because the others have what it gives up.
///
/// Who finds damage notes what is to be given up (`order`), durably, and the process begins anew; the next start carries it
/// out, before anything else has the directory (`carryOut`). A crash at any moment leaves the note, and a repair can be
/// done again. Nothing is thrown away: the database as it was stays in `before-repair/` until a majority *without this
/// node* has brought it up to date (`NodeStore.setSuspect(false)`), or a leader of theirs is about to and needs the room.
/// So nodes that are struck by the same cause at once can't together lose what only they had.
package struct SelfRepair: Sendable {
    /// Why a node does not help itself: one sentence for its last line.
    package struct Refusal: Error, Hashable, Sendable {
        package var sentence: String
    }

    package enum Outcome: Hashable, Sendable {
        case done(Repair.Loss, Repair.Outcome)
        /// Giving up what was ordered is not enough. More is ordered now, and the process must begin anew: RocksDB opens no
        /// database twice. With the reason.
        case moreIsDamaged(String)
    }

    private let directory: DataDirectory
    private let group: GroupID
    private let maxPerHour: Int

    private static let hour: UInt64 = 3600

    /// - Parameters:
    ///   - directory: its path.
    ///   - maxPerHour: a disk that goes on breaking is not worked on for ever.
    package init(directory: String, group: GroupID = GroupID(1), maxPerHour: Int) {
        self.directory = DataDirectory(path: directory)
        self.group = group
        self.maxPerHour = maxPerHour
    }

    /// When the node has repaired itself, in seconds since 1970; none where nothing is noted that can be read.
    package var times: [UInt64] { (try? RepairLedger(directory))?.times ?? [] }

    // MARK: Ordering

    /// Notes what the next start is to give up; durable on return. For a node that could not start: nobody has the directory.
    ///
    /// - Throws: `Refusal`; the directory is as it was then.
    package func order(_ loss: Repair.Loss, at seconds: UInt64) throws(Refusal) {
        try refusing { () throws(StorageError) in
            let lock = try DirectoryLock(path: directory.lock)
            defer { withExtendedLifetime(lock) {} }
            _ = try OfflineStore.identity(of: directory)
            return try note(loss, at: seconds, canBeSpared: try Company(notedIn: directory) == .spared)
        }
    }

    /// The same for a node that runs: its process has the directory.
    ///
    /// - Parameter membership: as this node knows it.
    package func order(
        _ loss: Repair.Loss, at seconds: UInt64, of node: NodeID, in membership: Membership
    ) throws(Refusal) {
        try refusing { () throws(StorageError) in
            try note(loss, at: seconds, canBeSpared: membership.canSpare(node))
        }
    }

    private func note(_ loss: Repair.Loss, at seconds: UInt64, canBeSpared: Bool) throws(StorageError) -> Refusal? {
        guard canBeSpared else {
            return Refusal(sentence: "the others are no majority without this node: it does not repair itself")
        }
        var ledger = try RepairLedger(directory)
        let count = ledger.count(within: Self.hour, of: seconds)
        guard count < maxPerHour else {
            return Refusal(
                sentence: "this node has repaired itself \(count) times within an hour: its disk can't be trusted")
        }
        try ledger.order(loss, at: seconds)
        return nil
    }

    private func refusing(_ body: () throws(StorageError) -> Refusal?) throws(Refusal) {
        let refusal: Refusal?
        do throws(StorageError) { refusal = try body() } catch {
            throw Refusal(sentence: "this node can't repair itself: \(error.message)")
        }
        if let refusal { throw refusal }
    }

    // MARK: Carrying out

    /// Does what was ordered, before the directory is opened; nil if nothing was.
    ///
    /// - Parameter minFreeBytes: with less free on the disk the reserve goes first: a repair copies the write-ahead log.
    /// - Throws: as `Repair.run`. After `.corruption` the order is withdrawn: nothing is left that could be given up.
    package func carryOut(
        minFreeBytes: UInt64 = 0, _ progress: (String) -> Void = { _ in }
    ) throws(StorageError) -> Outcome? {
        guard try FileSystem.exists(directory.repairs) else { return nil }
        var ledger: RepairLedger
        do throws(StorageError) { ledger = try RepairLedger(directory) } catch {
            // A file that makes no sense orders nothing; one that can't be read may.
            guard error.kind == .corruption else { throw error }
            return nil
        }
        guard let loss = ledger.ordered else { return nil }
        try makeRoom(minFreeBytes, progress)
        Failpoint.repairBefore.reach()
        progress("repairing: \(loss.meaning)")
        do throws(StorageError) {
            return .done(loss, try Repair(directory: directory.path, group: group).run(loss, keepsCopy: true))
        } catch {
            switch (error.kind, loss.more) {
            case (.corruption, let more?):
                try ledger.order(more, at: ledger.lines.last?.seconds ?? 0)
                return .moreIsDamaged(error.message)
            case (.corruption, nil), (.invariant, _): try ledger.close(.failed)
            default: break
            }
            throw error
        }
    }

    private func makeRoom(_ minFreeBytes: UInt64, _ progress: (String) -> Void) throws(StorageError) {
        let lock = try DirectoryLock(path: directory.lock)
        defer { withExtendedLifetime(lock) {} }
        try directory.makeRoom(forFree: minFreeBytes, progress)
    }
}

extension Repair.Loss {
    /// What a node says that does it by itself.
    package var meaning: String {
        switch self {
        case .writeAheadLog: "the end of the log is given up, from its first damage on"
        case .log: "the log is given up"
        case .state: "the state and the log are given up"
        }
    }
}
