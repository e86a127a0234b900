import ByteCoding
import KeyValue
package import Raft
import RocksDB

/// Reads everything that a data directory holds, while no node runs on it, and checks all that can be checked: files
/// block by block, records by their checksums, the log's order, and that log and state belong together. Changes nothing.
///
/// It goes on after the first damage as far as what is left makes sense, so that an operator sees all of it.
package struct Verification {
    private let directory: DataDirectory
    private let group: GroupID
    private let onProgress: (VerificationProgress) -> Void
    private var report = VerificationReport()

    /// - Parameters:
    ///   - directory: the data directory's path.
    ///   - group: the one whose log and state are in it.
    ///   - onProgress: called a few times a second, and at the beginning of every step.
    package init(
        directory: String, group: GroupID = GroupID(1), onProgress: @escaping (VerificationProgress) -> Void = { _ in }
    ) {
        self.directory = DataDirectory(path: directory)
        self.group = group
        self.onProgress = onProgress
    }

    /// - Throws: what keeps it from looking at all: `.locked` while a node runs, `.wrongIdentity` for what is no node's
    ///   directory, `.newerFormat`, `.permission`, `.io`. Damage is in the report.
    package mutating func run() throws(StorageError) -> VerificationReport {
        let lock = try DirectoryLock(lookingAt: directory.lock)
        let identity: Identity
        do throws(StorageError) { identity = try OfflineStore.identity(of: directory) } catch {
            try take(error, .directory)
            return report
        }
        report.identity = identity
        try checkMarker()
        let journals = try checkJournals()
        step(.opening, 0, of: 0)
        let store: OfflineStore
        do throws(StorageError) { store = try OfflineStore.open(directory, identity, lock) } catch {
            try take(error, .tables)
            for journal in journals { report.add(.damage, .writeAheadLog, journal.sentence) }
            try checkTables(
                try FileSystem.names(in: directory.database).filter { $0.hasSuffix(".sst") }, areLive: false)
            return report
        }
        judge(journals)
        try checkTables(store.engine.database.liveFiles.map(\.name), areLive: true)
        try checkMetadata(store)
        try checkLogAndState(store)
        return report
    }

    // MARK: Directory

    private mutating func checkMarker() throws(StorageError) {
        let found = try FileSystem.read(directory.initialized)
        if found == nil {
            report.add(.note, .directory, "\(directory.initialized) is missing: the next start makes it again")
        } else if found != DataDirectory.initializedText {
            // Its presence is what counts.
            report.add(.note, .directory, "\(directory.initialized) does not say what it should")
        }
    }

    /// Damage goes to the report; what keeps from reading at all is thrown on.
    private mutating func take(_ error: StorageError, _ part: VerificationReport.Finding.Part) throws(StorageError) {
        guard error.kind == .corruption else { throw error }
        report.add(.damage, part, error.message)
    }

    private func step(_ step: VerificationProgress.Step, _ done: UInt64, of total: UInt64) {
        onProgress(VerificationProgress(step: step, done: done, total: total))
    }

    // MARK: Files

    /// A journal that stops making sense somewhere.
    private struct DamagedJournal {
        var path: String
        var damage: JournalFile.Damage
        var isNewestLog: Bool
        var sentence: String { damage.sentence(of: path) }
    }

    private mutating func checkJournals() throws(StorageError) -> [DamagedJournal] {
        let names = try FileSystem.names(in: directory.database)
        let logs = names.filter { $0.hasSuffix(".log") }.sorted()
        var paths = logs.map { directory.database + "/" + $0 }
        if let manifest = try directory.currentManifest { paths.append(manifest) }
        let total = paths.reduce(0) { $0 + FileSystem.byteCount(of: $1) }
        var done: UInt64 = 0
        var damaged: [DamagedJournal] = []
        step(.writeAheadLog, 0, of: total)
        for path in paths {
            var journal = JournalFile(try DiskFile(path))
            while let bytes = try journal.checkNext() {
                done += UInt64(bytes)
                if done % (8 << 20) < UInt64(bytes) { step(.writeAheadLog, done, of: total) }
            }
            report.files += 1
            report.fileBytes += FileSystem.byteCount(of: path)
            guard let damage = journal.damage else { continue }
            damaged.append(
                DamagedJournal(
                    path: path, damage: damage, isNewestLog: logs.last.map { path.hasSuffix("/" + $0) } ?? false))
        }
        return damaged
    }

    /// RocksDB could read what it needed.
    private mutating func judge(_ journals: [DamagedJournal]) {
        for journal in journals {
            if journal.damage.isLast {
                report.add(
                    .note, .writeAheadLog,
                    "\(journal.sentence), and nothing after it: a last write that was cut off; nobody was told of it")
            } else {
                report.add(.damage, .writeAheadLog, journal.sentence)
            }
        }
    }

    /// - Parameter areLive: whether the database consists of these files; else some may be left over, and unfinished.
    private mutating func checkTables(_ names: [String], areLive: Bool) throws(StorageError) {
        let paths = names.map { directory.database + "/" + $0 }
        let total = paths.reduce(0) { $0 + FileSystem.byteCount(of: $1) }
        var done: UInt64 = 0
        step(.tables, 0, of: total)
        for path in paths {
            let before = done
            do throws(StorageError) {
                var table = try TableFile.open(try DiskFile(path))
                while true {
                    do throws(StorageError) {
                        guard let bytes = try table.checkNext() else { break }
                        done += UInt64(bytes)
                        if done % (8 << 20) < UInt64(bytes) { step(.tables, done, of: total) }
                    } catch { try take(error, .tables) }
                }
            } catch {
                try take(areLive ? error : error.perhapsUnfinished, .tables)
            }
            report.files += 1
            report.fileBytes += FileSystem.byteCount(of: path)
            done = before + FileSystem.byteCount(of: path)
        }
    }

    // MARK: Records

    private mutating func checkMetadata(_ store: OfflineStore) throws(StorageError) {
        do throws(StorageError) {
            report.isSuspect = try store.isSuspect()
            if report.isSuspect {
                report.add(.note, .metadata, "the node is suspect: it votes only after it has caught up with a leader")
            }
            if try store.isRemoved() { report.add(.note, .metadata, "the cluster has removed this node") }
            _ = try store.peers()
            for (key, _) in try store.records.allMetadata() where !MetadataKey.isKnown(key) {
                report.add(.damage, .metadata, "there is no such record as \(KeyText.of(key))")
            }
        } catch { try take(error, .metadata) }
        for name in store.engine.familyNames {
            guard let generation = name.generation, generation != store.generation else { continue }
            report.add(.note, .state, "\(name) is left over from a snapshot: the next start drops it")
        }
    }

    private mutating func checkLogAndState(_ store: OfflineStore) throws(StorageError) {
        var position: AppliedPosition?
        do throws(StorageError) {
            position = try store.appliedPosition(group)
            report.applied = position?.id.index ?? .zero
        } catch { try take(error, .state) }
        do throws(StorageError) {
            let head = try store.records.log.head(of: group)
            (report.truncated, report.commit, report.term) = (head.truncated.index, head.commit, head.hardState.term)
            let survey = try checkLog(store, head)
            try RecoveryRules.check(group, head, survey, position)
        } catch { try take(error, .log) }
        do throws(StorageError) { try checkState(store) } catch { try take(error, .state) }
    }

    /// Every key of the log's family, not only those that recovery would look at.
    private mutating func checkLog(_ store: OfflineStore, _ head: LogHead) throws(StorageError) -> LogSurvey {
        let group = group
        var survey = LogSurvey(after: head.truncated)
        var entries = 0
        try store.records.log.scan(group, head.truncated.index.next...LogIndex(.max)) { (entry) throws(StorageError) in
            try survey.add(entry.id, of: group)
            try Self.checkPayload(entry)
            entries += 1
            if entries.isMultiple(of: Self.progressRecords) { self.step(.log, UInt64(entries), of: 0) }
            return true
        }
        report.entries = entries
        report.last = survey.last.index
        var stray: Bytes?
        try store.scan(.raft) { key, _ in
            if RaftKey.isKnown(key, group: group) { return true }
            stray = Bytes(copying: key)
            return false
        }
        if let stray {
            throw StorageError(.corruption, "the log has the key \(KeyText.of(stray)), which is of no record")
        }
        return survey
    }

    /// Whether a state machine could read the entry.
    private static func checkPayload(_ entry: Entry) throws(StorageError) {
        do {
            switch entry.kind {
            case .normal: try Block.validate(entry.payload)
            case .noop: break
            case .membership:
                _ = try DirectoryUpdate(decoding: try MembershipChange(decoding: entry.payload).context)
            }
        } catch {
            // No disk can make such a change of an intact one.
            let isLater = entry.kind == .membership || (error as? FormatError)?.isOfLaterVersion == true
            let reason = (error as? StorageError)?.message ?? "\(error)"
            throw StorageError(
                isLater ? .newerFormat : .corruption,
                "log entry \(entry.index) is intact, and can't be read: \(reason)")
        }
    }

    /// Every key of the state's family.
    private mutating func checkState(_ store: OfflineStore) throws(StorageError) {
        let total = store.engine.statistics(state: store.state).estimatedStateKeys
        var audit = StateAudit(group: group.rawValue, applied: report.applied.rawValue)
        var failure: StateStoreError?
        var pairs = 0
        step(.state, 0, of: total)
        try store.scan(.state(store.generation)) { key, value in
            do throws(StateStoreError) { try audit.check(key, value) } catch {
                failure = error
                return false
            }
            pairs += 1
            if pairs.isMultiple(of: Self.progressRecords) { self.step(.state, UInt64(pairs), of: total) }
            return true
        }
        (report.values, report.sessions, report.replies) = (audit.values, audit.sessions, audit.replies)
        report.stateBytes = audit.bytes
        if let failure { throw StorageError(failure, while: "read the state") }
        report.digest = audit.digest
    }

    private static let progressRecords = 50_000
}

extension OfflineStore {
    /// Gives `body` every pair of a family, ascending, until it returns false.
    func scan(
        _ name: FamilyName, _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool
    ) throws(StorageError) {
        guard let family = engine.family(name) else {
            throw StorageError(.corruption, "the family \(name) of the database is missing")
        }
        try storage("read \(name)") { () throws(EngineError) in
            try engine.scan(from: Bytes(), to: nil, in: family, at: nil, isLong: true, body)
        }
    }
}

extension StorageError {
    fileprivate var perhapsUnfinished: StorageError {
        var error = self
        error.message += " (if the database still needs this file)"
        return error
    }
}
