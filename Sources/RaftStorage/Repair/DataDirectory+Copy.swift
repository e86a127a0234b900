import Glibc

/// The database as it was before a repair, and its tables to look at.
extension DataDirectory {
    var hasCopy: Bool { get throws(StorageError) { try FileSystem.exists(copyBeforeRepair) } }

    /// Keeps the database as it is: whole and durable on return, or not there at all. Table files never change and are
    /// linked; the rest, as much as the write-ahead log is large, is copied.
    ///
    /// A copy that is there already stays.
    func keepCopy() throws(StorageError) {
        guard try !hasCopy else { return }
        let draft = copyBeforeRepair + ".tmp"
        try FileSystem.removeDirectory(draft)
        try FileSystem.makeDirectories(draft)
        try linkDatabase(into: draft)
        try FileSystem.syncDirectory(draft)
        Failpoint.repairBeforeCopyRename.reach()
        guard rename(draft, copyBeforeRepair) == 0 else {
            throw StorageError(errno: errno, "rename \(draft) to \(copyBeforeRepair)")
        }
        try FileSystem.syncDirectory(path)
    }

    /// - Parameter omitting: files whose names end so are left out.
    private func linkDatabase(into folder: String, omitting suffix: String? = nil) throws(StorageError) {
        for name in try FileSystem.names(in: database).sorted() where suffix.map({ !name.hasSuffix($0) }) ?? true {
            let (old, new) = (database + "/" + name, folder + "/" + name)
            if name.hasSuffix(".sst") {
                guard link(old, new) == 0 else { throw StorageError(errno: errno, "link \(old) to \(new)") }
            } else if FileSystem.isFile(old) {
                try FileSystem.copy(old, to: new)
            }
        }
    }

    // MARK: - To look at

    /// A directory with the database but for the files of its write-ahead log: RocksDB may do in it what it likes.
    func makeTableView() throws(StorageError) -> DataDirectory {
        try removeTableView()
        let view = DataDirectory(path: tableView)
        try FileSystem.makeDirectories(view.database)
        try linkDatabase(into: view.database, omitting: ".log")
        return view
    }

    func removeTableView() throws(StorageError) {
        try FileSystem.removeDirectory(DataDirectory(path: tableView).database)
        try FileSystem.removeDirectory(tableView)
    }

    // MARK: - The copy's end

    /// Bytes of disk that it holds: not of tables that the database still has, since these are the same files. 0 without a
    /// copy. For who watches: it may be removed at any moment, and what can't be read counts 0.
    var copyBytes: UInt64 {
        var total: UInt64 = 0
        for name in (try? FileSystem.names(in: copyBeforeRepair)) ?? [] {
            var status = stat()
            // What vanishes meanwhile holds nothing.
            guard stat(copyBeforeRepair + "/" + name, &status) == 0, status.st_nlink == 1 else { continue }
            total += UInt64(status.st_blocks) * 512
        }
        return total
    }

    /// Nobody will ask for it any more, or the room is needed.
    func removeCopy() throws(StorageError) {
        guard try hasCopy else { return }
        let draft = copyBeforeRepair + ".tmp"
        try FileSystem.removeDirectory(draft)
        // What is half removed must not look like a copy.
        guard rename(copyBeforeRepair, draft) == 0 else {
            throw StorageError(errno: errno, "rename \(copyBeforeRepair)")
        }
        try FileSystem.removeDirectory(draft)
        try FileSystem.syncDirectory(path)
    }
}
