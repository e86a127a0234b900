/// RocksDB says that something is damaged, and often not where: reads the files that opening reads, and finds it.
enum DamageLocator {
    /// The error with the file and the place, and the repair that fits; as it is if nothing is found.
    static func locate(_ error: StorageError, in directory: DataDirectory) -> StorageError {
        guard error.kind == .corruption else { return error }
        // Errors of this search would hide the one that matters.
        guard let (path, damage) = try? firstDamage(in: directory) else {
            // A table that can't be opened doesn't say whose it is; with the state, everything goes that has tables.
            return tableName(in: error.message) == nil ? error : error.advising(.state)
        }
        var located = error
        located.message += "; \(path): \(damage.what) at \(damage.offset)"
        return path.hasSuffix(".log") ? located.advising(.writeAheadLog) : located
    }

    /// The first name of a table file in what RocksDB says, e.g. `000123.sst`.
    static func tableName(in message: String) -> String? {
        message.split { !($0.isASCII && $0.isNumber) && !"st.".contains($0) }.map(String.init)
            .first { $0.hasSuffix(".sst") && $0.count > 4 && $0.dropLast(4).allSatisfy(\.isNumber) }
    }

    private static func firstDamage(
        in directory: DataDirectory
    ) throws(StorageError) -> (path: String, JournalFile.Damage)? {
        let logs = try FileSystem.names(in: directory.database).filter { $0.hasSuffix(".log") }.sorted()
        let paths = try [directory.currentManifest].compactMap { $0 } + logs.map { directory.database + "/" + $0 }
        for path in paths {
            var journal = JournalFile(try DiskFile(path))
            while try journal.checkNext() != nil {}
            if let damage = journal.damage, !damage.isLast { return (path, damage) }
        }
        return nil
    }
}
