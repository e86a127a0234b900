import ByteCoding
package import Raft
import RocksDB

/// Reads everything that a node in use has on its disk, a little at a time, and finds damage before a client does: table
/// files and write-ahead log block by block from the disk itself, and the log's entries once more by their own checksums.
///
/// One pass takes the table files of its beginning; what compactions make meanwhile comes next time. Owned by one thread,
/// and gone before the store is closed.
package final class StoreScrub {
    private enum Work {
        case tables([LiveFile], open: TableFile?)
        case journals([String], open: JournalFile?)
        case entries(from: LogIndex)
    }

    private let store: NodeStore
    private let engine: RocksEngine
    private let group: GroupID
    /// Nil between two passes.
    private var work: Work?

    /// A step reads about so much.
    private static let stepBytes = 256 << 10

    /// Nil for a store without a disk.
    package init?(_ store: NodeStore, group: GroupID) {
        guard let records = store.records as? EngineRecordStore<RocksEngine> else { return nil }
        (self.store, self.group) = (store, group)
        engine = records.engine
    }

    /// Reads a little more, and says how many bytes that were; nil at the end of a pass: the next call begins another.
    ///
    /// - Throws: `.corruption` with the file or the entry, and what the operator can do; `.io`. The node must stop.
    package func step() throws(StorageError) -> Int? {
        var bytes = 0
        while bytes < Self.stepBytes {
            switch work ?? .tables(engine.database.liveFiles.reversed(), open: nil) {
            case .tables(let files, let open): bytes += try check(files, open)
            case .journals(let paths, let open): bytes += try check(paths, open)
            case .entries(let first):
                guard let (next, read) = try checkEntries(from: first) else {
                    work = nil
                    return nil
                }
                work = .entries(from: next)
                bytes += read
            }
        }
        return bytes
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
                throw StorageError(.corruption, "\(path): \(damage.what) at \(damage.offset)")
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
