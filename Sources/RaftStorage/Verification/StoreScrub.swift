import ByteCoding
package import Raft
import RocksDB

/// Reads everything that counts of what a node in use has on its disk, a little at a time, and finds damage before a client
/// or the next start does: what only a start reads, then table files and write-ahead log block by block, and the log's
/// entries once more by their own checksums. Nothing else that counts is on the disk for longer than its transfer takes.
///
/// One pass takes the table files of its beginning; what compactions make meanwhile comes next time. Owned by one thread,
/// and gone before the store is closed.
package final class StoreScrub {
    private enum Work {
        case manifest(String, JournalFile)
        case tables([LiveFile], open: TableFile?)
        case journals([String], open: JournalFile?)
        case entries(from: LogIndex)
        case doubt(String, JournalFile)
    }

    /// The end of a MANIFEST that makes no sense: damage, or a record that was being written.
    private struct Doubt: Hashable {
        var path: String
        var byteCount: Int
        var damage: JournalFile.Damage
    }

    /// What the next start would stumble over, as far as is known: found by this pass or the one before.
    package private(set) var hazards: [StartHazard] = []
    private let store: NodeStore
    private let engine: RocksEngine
    private let group: GroupID
    private let startFiles: StartFiles
    /// Nil between two passes.
    private var work: Work?
    /// Found by this pass.
    private var found: [StartHazard] = []
    private var doubt: Doubt?

    /// A step reads about so much.
    private static let stepBytes = 256 << 10

    /// Nil for a store without a disk.
    package init?(_ store: NodeStore, group: GroupID) {
        guard let records = store.records as? EngineRecordStore<RocksEngine> else { return nil }
        (self.store, self.group) = (store, group)
        engine = records.engine
        startFiles = StartFiles(DataDirectory(path: store.configuration.directory), owner: store.identity)
    }

    /// Reads a little more, and says how many bytes that were; nil at the end of a pass: the next call begins another.
    ///
    /// What is wrong with a file that only a start reads is no error: see `hazards`.
    ///
    /// - Throws: `.corruption` with the file or the entry, and what the operator can do; `.io`. The node must stop.
    package func step() throws(StorageError) -> Int? {
        var bytes = 0
        while bytes < Self.stepBytes {
            guard let work else {
                try beginPass()
                continue
            }
            switch work {
            case .manifest(let path, let journal):
                if let read = try check(path, journal) { bytes += read } else { self.work = allTables }
            case .tables(let files, let open): bytes += try check(files, open)
            case .journals(let paths, let open): bytes += try check(paths, open)
            case .entries(let first):
                guard let (next, read) = try checkEntries(from: first) else {
                    guard try lookAgain() else { return endPass() }
                    break
                }
                self.work = .entries(from: next)
                bytes += read
            case .doubt(let path, let journal):
                guard let read = try check(path, journal) else { return endPass() }
                bytes += read
            }
        }
        return bytes
    }

    private var allTables: Work { .tables(engine.database.liveFiles.reversed(), open: nil) }

    private func endPass() -> Int? {
        (hazards, found, doubt, work) = (found, [], nil, nil)
        return nil
    }

    // MARK: What only a start reads

    private func beginPass() throws(StorageError) {
        for hazard in try startFiles.hazards() { note(hazard) }
        work = try openManifest().map { .manifest($0, $1) } ?? allTables
    }

    private func note(_ hazard: StartHazard) {
        found.append(hazard)
        if !hazards.contains(hazard) { hazards.append(hazard) }
    }

    private func noteHazard(_ look: () throws(StorageError) -> String?) throws(StorageError) {
        if let hazard = try StartFiles.hazard(.replacement, look) { note(hazard) }
    }

    private func openManifest() throws(StorageError) -> (String, JournalFile)? {
        var opened: (String, JournalFile)?
        try noteHazard { () throws(StorageError) in
            let path = try startFiles.manifest()
            do throws(StorageError) { opened = (path, JournalFile(try DiskFile(path, from: .disk))) } catch {
                // Another may have taken its place since.
                if try startFiles.manifest() == path { throw error }
            }
            return nil
        }
        return opened
    }

    /// Nil at the end. Whoever calls goes on with something else then.
    private func check(_ path: String, _ opened: JournalFile) throws(StorageError) -> Int? {
        var (journal, bytes) = (opened, nil as Int?)
        try noteHazard { () throws(StorageError) in
            bytes = try journal.checkNext()
            guard let damage = journal.damage, try startFiles.manifest() == path else { return nil }
            let flaw = Doubt(path: path, byteCount: journal.byteCount, damage: damage)
            guard !damage.isLast || doubt == flaw else {
                doubt = flaw
                return nil
            }
            return damage.sentence(of: path)
        }
        if case .doubt = work { work = .doubt(path, journal) } else { work = .manifest(path, journal) }
        return bytes
    }

    /// Whether the end of the MANIFEST has to be looked at once more: RocksDB writes it record by record, and has long
    /// written on if one was not whole when the pass began.
    private func lookAgain() throws(StorageError) -> Bool {
        guard doubt != nil, let (path, journal) = try openManifest() else { return false }
        work = .doubt(path, journal)
        return true
    }

    // MARK: Tables

    private func check(_ files: [LiveFile], _ open: TableFile?) throws(StorageError) -> Int {
        guard let file = files.last else {
            work = .journals(try logNames().reversed(), open: nil)
            return 0
        }
        let path = engine.database.path + "/" + file.name
        do throws(StorageError) {
            var table = open
            if table == nil { table = try TableFile.open(try DiskFile(path, from: .disk)) }
            if let bytes = try table?.checkNext() {
                work = .tables(files, open: table)
                return bytes
            }
        } catch {
            // A compaction may have replaced it meanwhile; then it is nobody's any more.
            if isLive(file) { throw error.advising(inFamily: file.columnFamily) }
        }
        work = .tables(files.dropLast(), open: nil)
        return 0
    }

    private func isLive(_ file: LiveFile) -> Bool { engine.database.liveFiles.contains { $0.name == file.name } }

    // MARK: Write-ahead log

    private func check(_ paths: [String], _ open: JournalFile?) throws(StorageError) -> Int {
        guard let path = paths.last else {
            work = .entries(from: try store.bounds(of: group).truncated.index.next)
            return 0
        }
        do throws(StorageError) {
            // The newest is being written: what the kernel has of it is what will be on the disk.
            var journal = open
            if journal == nil { journal = JournalFile(try DiskFile(path)) }
            if let bytes = try journal?.checkNext() {
                work = .journals(paths, open: journal)
                return bytes
            }
            if let damage = journal?.damage, !damage.isLast, try FileSystem.exists(path) {
                throw StorageError(.corruption, damage.sentence(of: path))
                    .advising(.writeAheadLog)
            }
        } catch { if try FileSystem.exists(path) { throw error } }
        work = .journals(paths.dropLast(), open: nil)
        return 0
    }

    private func logNames() throws(StorageError) -> [String] {
        try FileSystem.names(in: engine.database.path).filter { $0.hasSuffix(".log") }.sorted()
            .map { engine.database.path + "/" + $0 }
    }

    // MARK: Entries

    /// Checks some entries as they are in the database now, memory included; nil at the end.
    private func checkEntries(from first: LogIndex) throws(StorageError) -> (next: LogIndex, bytes: Int)? {
        // The log may have been cut, or replaced by a snapshot, since the last step.
        let first = max(first, try store.bounds(of: group).truncated.index.next)
        var (last, bytes) = (LogIndex.zero, 0)
        try store.records.log.scan(group, first...LogIndex(.max)) { (entry) throws(StorageError) in
            last = entry.index
            bytes += entry.payload.count
            return bytes < Self.stepBytes
        }
        return last == .zero ? nil : (last.next, max(1, bytes))
    }
}
