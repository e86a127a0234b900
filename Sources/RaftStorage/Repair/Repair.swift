import ByteCoding
import KeyValue
package import Raft
import RocksDB

/// Makes a damaged data directory usable again by giving up what can't be read, and marks the node suspect: it has
/// promised things that it does not know any more. It votes, and is counted, only after a leader has brought it up to
/// what a majority *without it* holds.
///
/// It begins with a mark in the directory (`DataDirectory.suspectMark`), so that a crash at any later moment leaves a node
/// that is suspect, whatever else was done; the repair can be run again then. Owned by one thread.
package struct Repair {
    /// What an operator gives up.
    package enum Loss: String, Sendable, CaseIterable {
        /// The end of the write-ahead log, from the first damage on: the newest entries of the log.
        case writeAheadLog
        /// The whole log. The state stays, as far as it is on disk.
        case log
        /// The state, and the log with it: everything but who the node is. The others send all of it again.
        case state

        /// What gives this up: an option of `roostd repair`.
        package var flag: String {
            switch self {
            case .writeAheadLog: "--accept-wal-loss"
            case .log: "--drop-log"
            case .state: "--drop-state"
            }
        }

        /// What is given up instead where more turns out to be damaged; nil: there is nothing more.
        var more: Loss? {
            switch self {
            case .writeAheadLog: .log
            case .log: .state
            case .state: nil
            }
        }
    }

    /// What is there now.
    package struct Outcome: Hashable, Sendable {
        package var applied: EntryID
        package var last: LogIndex
        package var hardState: HardState
        /// False on a node that never had others: there is nobody to ask, and what is left is what there is.
        package var isSuspect: Bool
    }

    private let directory: DataDirectory
    private let group: GroupID
    private let onProgress: (VerificationProgress) -> Void

    /// - Parameters:
    ///   - directory: its path.
    ///   - onProgress: called at the beginning of every step, and now and then while the log is read; totals are not known.
    package init(
        directory: String, group: GroupID = GroupID(1), onProgress: @escaping (VerificationProgress) -> Void = { _ in }
    ) {
        self.directory = DataDirectory(path: directory)
        self.group = group
        self.onProgress = onProgress
    }

    /// - Parameter keepsCopy: keep the database as it is now in `before-repair/`, until the node is trusted again. A copy
    ///   that is there already stays: it is older, and holds more.
    /// - Throws: `.locked` while a node runs, `.wrongIdentity`, `.newerFormat`, `.invariant` for a loss that nobody could
    ///   make good; `.corruption` when more is damaged than may be given up: nothing was lost then that was readable.
    package func run(_ loss: Loss, keepsCopy: Bool = false) throws(StorageError) -> Outcome {
        let lock = try DirectoryLock(path: directory.lock)
        defer { withExtendedLifetime(lock) {} }
        let identity = try OfflineStore.identity(of: directory)
        let isAlone = try Survivors.isAlone(identity, in: directory, group)
        guard loss != .state || !isAlone else {
            throw StorageError(
                .invariant, "node \(identity.node) has never had others: nobody could send its state again",
                remedy: "restore a backup")
        }
        if keepsCopy { try directory.keepCopy() }
        if !isAlone { try directory.markSuspect() }
        step(.opening)
        let engine = try open(loss)
        do throws(StorageError) {
            let outcome = try repair(
                engine, identity, loss, suspicion: isAlone ? Suspicion.none : Suspicion.repaired)
            try storage("close the database") { () throws(EngineError) in try engine.close() }
            Failpoint.repairBeforeUnmark.reach()
            try directory.unmarkSuspect()
            Failpoint.repairBeforeDone.reach()
            try RepairLedger.settle(in: directory)
            return outcome
        } catch {
            // It may be the disk: an orderly close could abort.
            engine.abandon()
            throw error
        }
    }

    /// Lifts a suspicion by an operator's word, without asking anybody: for a cluster in which so many nodes are suspect
    /// that none of them can ever be trusted again. What the node has forgotten is lost if nobody else has it.
    package func trust() throws(StorageError) {
        let lock = try DirectoryLock(path: directory.lock)
        defer { withExtendedLifetime(lock) {} }
        let identity = try OfflineStore.identity(of: directory)
        let configuration = StoreConfiguration(directory: directory.path, origin: .existing)
        step(.opening)
        let engine = try RocksEngine.open(directory, configuration, creating: false)
        let (records, _) = try EngineRecordStore.look(at: engine, identity)
        try records.setMetadata(MetadataKey.suspect, Suspicion.record(Suspicion.none))
        try storage("close the database") { () throws(EngineError) in try engine.close() }
        try directory.unmarkSuspect()
    }

    /// Makes a copied directory the node's own, by an operator's word that the one it was copied from is gone and will
    /// never be started again. What the node has promised since the copy is forgotten, so it is suspect.
    ///
    /// - Returns: whether it is suspect: a node that never had others is not.
    /// - Throws: `.locked` while a node runs, `.wrongIdentity`, `.newerFormat`, `.corruption`, `.invariant` for a directory
    ///   that is no copy.
    package func adopt() throws(StorageError) -> Bool {
        let lock = try DirectoryLock(path: directory.lock)
        defer { withExtendedLifetime(lock) {} }
        let identity = try OfflineStore.identity(of: directory)
        guard try directory.isCopy() else {
            throw StorageError(
                .invariant, "\(directory.path) is no copy, as far as its file system can tell", remedy: "start the node"
            )
        }
        let isAlone = try Survivors.isAlone(identity, in: directory, group)
        // First: a crash between the two leaves a copy, which no node starts on.
        if !isAlone { try directory.markSuspect() }
        try directory.write(identity)
        return !isAlone
    }

    private func step(_ step: VerificationProgress.Step, _ done: UInt64 = 0) {
        onProgress(VerificationProgress(step: step, done: done, total: 0))
    }

    private func open(_ loss: Loss) throws(StorageError) -> RocksEngine {
        do throws(StorageError) {
            // Tables of what is to be dropped need not be readable.
            return try RocksEngine.openDamaged(directory, tolerating: loss == .writeAheadLog ? .nothing : .tables)
        } catch {
            guard error.kind == .corruption else { throw error }
            // Tables of the state are newer than the damage: no log that this node once had fits them any more.
            guard loss != .writeAheadLog else {
                throw StorageError(
                    .corruption, error.message,
                    remedy: "the state on disk is newer than the damage: give the whole log up, with --drop-log")
            }
            try directory.setLogFilesAside()
            return try RocksEngine.openDamaged(directory, tolerating: .tables)
        }
    }

    private func repair(
        _ engine: RocksEngine, _ identity: Identity, _ loss: Loss, suspicion: UInt64
    ) throws(StorageError) -> Outcome {
        if loss == .writeAheadLog { step(.log) }
        let survivors = try Survivors(engine, identity, group, without: loss) { step(.log, UInt64($0)) }
        step(.repair)
        let (applied, head, last) =
            switch loss {
            case .writeAheadLog: survivors.trimmed()
            case .log: (survivors.applied, survivors.headBehindState, survivors.applied.index)
            case .state: (EntryID.zero, LogHead(hardState: survivors.hardState), LogIndex.zero)
            }
        let rewrite = Rewrite(engine: engine, group: group, head: head, last: last, suspicion: suspicion)
        switch loss {
        case .writeAheadLog: try rewrite.trimLog(from: survivors.truncated)
        case .log: try rewrite.replaceLog()
        case .state: try rewrite.replaceLogAndState(generation: survivors.generation)
        }
        return Outcome(
            applied: applied, last: last, hardState: head.hardState, isSuspect: suspicion != Suspicion.none)
    }
}
