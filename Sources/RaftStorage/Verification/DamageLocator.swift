/// RocksDB says that something is damaged, and often not where: reads the files that opening reads, and finds it.
enum DamageLocator {
    /// The error with the file and the place, and the repair that fits; as it is if nothing is found.
    static func locate(_ error: StorageError, in directory: DataDirectory) -> StorageError {
        guard error.kind == .corruption else { return error }
        // Errors of this search would hide the one that matters.
        guard let (path, damage) = try? firstDamage(in: directory) else { return error }
        var located = error
        located.message += "; \(path): \(damage.what) at \(damage.offset)"
        return path.hasSuffix(".log") ? located.advising("--accept-wal-loss") : located
    }

    private static func firstDamage(
        in directory: DataDirectory
    ) throws(StorageError) -> (path: String, JournalFile.Damage)? {
        let logs = FileSystem.names(in: directory.database).filter { $0.hasSuffix(".log") }.sorted()
        let paths = [directory.currentManifest].compactMap { $0 } + logs.map { directory.database + "/" + $0 }
        for path in paths {
            var journal = JournalFile(try DiskFile(path))
            while try journal.checkNext() != nil {}
            if let damage = journal.damage, !damage.isLast { return (path, damage) }
        }
        return nil
    }
}
