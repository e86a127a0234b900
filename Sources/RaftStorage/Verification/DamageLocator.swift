/// RocksDB says that something is damaged, and often not where: reads the files that opening reads, and finds it.
enum DamageLocator {
    /// The error with the file and the place, and the repair that fits; as it is if nothing is found.
    static func locate(_ error: StorageError, in directory: DataDirectory) -> StorageError {
        guard error.kind == .corruption else { return error }
        // Errors of this search would hide the one that matters.
        let found = try? Finder(directory)
        if let (path, damage) = found?.certain { return located(error, path, damage) }
        // A table that can't be opened doesn't say whose it is; with the state, everything goes that has tables.
        if tableName(in: error.message) != nil { return error.advising(.state) }
        if let flaw = found?.flawOfCurrent {
            var located = error
            located.message += "; \(flaw)"
            return located
        }
        // Nothing else is wrong, and RocksDB takes it for more than a write that was cut off.
        let ends =
            error.message.contains("MANIFEST") ? [found?.endOfManifest] : [found?.endOfLog, found?.endOfManifest]
        if let (path, damage) = ends.lazy.compactMap(\.self).first { return located(error, path, damage) }
        return error
    }

    private static func located(_ error: StorageError, _ path: String, _ damage: JournalFile.Damage) -> StorageError {
        var located = error
        located.message += "; \(damage.sentence(of: path))"
        return path.hasSuffix(".log") ? located.advising(.writeAheadLog) : located
    }

    /// What stands at the end of the MANIFEST and can't be read; nil if all can. RocksDB takes it for a write that was cut off,
    /// goes on without it, and writes a new MANIFEST: so this has to be looked at before the database is opened.
    static func endOfManifest(in directory: DataDirectory) -> String? {
        guard let path = try? StartFiles.manifest(of: directory), let file = try? DiskFile(path) else { return nil }
        var journal = JournalFile(file)
        do throws(StorageError) { while try journal.checkNext() != nil {} } catch { return nil }
        return journal.damage?.sentence(of: path)
    }

    /// The first name of a table file in what RocksDB says, e.g. `000123.sst`.
    static func tableName(in message: String) -> String? {
        message.split { !($0.isASCII && $0.isNumber) && !"st.".contains($0) }.map(String.init)
            .first { $0.hasSuffix(".sst") && $0.count > 4 && $0.dropLast(4).allSatisfy(\.isNumber) }
    }

    /// What is wrong with the files of a database that are no tables.
    private struct Finder {
        typealias Place = (path: String, damage: JournalFile.Damage)

        /// The first with intact records behind it.
        private(set) var certain: Place?
        /// With nothing behind it.
        private(set) var endOfManifest: Place?
        private(set) var endOfLog: Place?
        private(set) var flawOfCurrent: String?

        init(_ directory: DataDirectory) throws(StorageError) {
            var manifest: String?
            do throws(StorageError) { manifest = try StartFiles.manifest(of: directory) } catch {
                flawOfCurrent = error.message
            }
            let logs = try FileSystem.names(in: directory.database).filter { $0.hasSuffix(".log") }.sorted()
            for path in [manifest].compactMap(\.self) + logs.map({ directory.database + "/" + $0 }) {
                var journal = JournalFile(try DiskFile(path))
                while try journal.checkNext() != nil {}
                guard let damage = journal.damage else { continue }
                if !damage.isLast {
                    certain = (path, damage)
                    return
                }
                if path == manifest {
                    endOfManifest = (path, damage)
                } else if endOfLog == nil {
                    endOfLog = (path, damage)
                }
            }
        }
    }
}
