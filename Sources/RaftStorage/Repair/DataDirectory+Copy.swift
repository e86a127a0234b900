import Glibc

/// The database as it was before a repair.
extension DataDirectory {
    var hasCopy: Bool { FileSystem.exists(copyBeforeRepair) }

    /// Keeps the database as it is: whole and durable on return, or not there at all. Table files never change and are
    /// linked; the rest, as much as the write-ahead log is large, is copied.
    ///
    /// A copy that is there already stays.
    func keepCopy() throws(StorageError) {
        guard !hasCopy else { return }
        let draft = copyBeforeRepair + ".tmp"
        try FileSystem.removeDirectory(draft)
        try FileSystem.makeDirectories(draft)
        for name in FileSystem.names(in: database).sorted() {
            let (old, new) = (database + "/" + name, draft + "/" + name)
            if name.hasSuffix(".sst") {
                guard link(old, new) == 0 else { throw StorageError(errno: errno, "link \(old) to \(new)") }
            } else if FileSystem.isFile(old) {
                try FileSystem.copy(old, to: new)
            }
        }
        try FileSystem.syncDirectory(draft)
        Failpoint.repairBeforeCopyRename.reach()
        guard rename(draft, copyBeforeRepair) == 0 else {
            throw StorageError(errno: errno, "rename \(draft) to \(copyBeforeRepair)")
        }
        try FileSystem.syncDirectory(path)
    }

    /// Nobody will ask for it any more.
    func removeCopy() throws(StorageError) {
        guard hasCopy else { return }
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
