import Glibc

/// The files of a data directory.
///
/// ```
/// LOCK         held while a process uses the directory
/// IDENTITY     whose directory it is
/// founding     only until the database was completed once
/// initialized  the database was completed once: from then on it must be there
/// db/          the database
/// damaged/     log files that a repair has set aside; nobody reads them
/// before-repair/  the database as it was when the node began to repair itself, until it is trusted again
/// repairs      when the node has repaired itself, and what is to be repaired at the next start: see `RepairLedger`
/// company      what the node is to the others: see `Company`
/// tables/      only while `roostd repair` looks at the tables alone
/// suspect      only after a repair that did not come to its end: the next start notes it in the database
/// snapshots/   a finished snapshot of the state; emptied at every start
/// incoming/    what comes of others' snapshots; emptied at every start
/// RESERVE      room for a start on a full disk; see `ReserveFile`
/// ```
/// `founding` comes first, then IDENTITY, the database, `initialized`, and `founding` goes. So a directory whose making was
/// cut short is told apart from one that lost its database, even together with `initialized`: a node that lost its disk must
/// not come back empty, under an incarnation that the others trust, and vote a second time.
struct DataDirectory: Sendable {
    let path: String
    var lock: String { path + "/LOCK" }
    var identity: String { path + "/IDENTITY" }
    var founding: String { path + "/founding" }
    var initialized: String { path + "/initialized" }
    var suspectMark: String { path + "/suspect" }
    var database: String { path + "/db" }
    var copyBeforeRepair: String { path + "/before-repair" }
    var tableView: String { path + "/tables" }
    var repairs: String { path + "/repairs" }
    var company: String { path + "/company" }
    var reserve: String { path + "/RESERVE" }
    var incoming: String { path + "/" + SnapshotFolder.incoming }
    /// RocksDB writes this file last when it makes a database, and replaces it atomically ever after.
    var current: String { database + "/CURRENT" }

    /// The file that `CURRENT` names; nil if it names none that is there.
    var currentManifest: String? {
        get throws(StorageError) {
            guard let name = try FileSystem.read(current) else { return nil }
            let path = database + "/" + String(decoding: name, as: UTF8.self).filter { !$0.isNewline && $0 != "/" }
            guard path != database + "/", try FileSystem.exists(path) else { return nil }
            return path
        }
    }

    /// What `initialized` holds.
    static let initializedText = Array("roost-initialized 1\n".utf8)

    var isInitialized: Bool { get throws(StorageError) { try FileSystem.exists(initialized) } }
    var hasDatabase: Bool { get throws(StorageError) { try FileSystem.exists(current) } }

    /// Whether the database was never completed: nothing was ever promised from here.
    var isFounding: Bool {
        get throws(StorageError) {
            if try isInitialized { return false }
            return try FileSystem.exists(founding)
        }
    }

    /// Whether a node has ever run on it, as far as can be told without IDENTITY.
    var wasUsed: Bool {
        get throws(StorageError) {
            for mark in [initialized, current, company] {
                if try FileSystem.exists(mark) { return true }
            }
            return false
        }
    }

    private func markFounding() throws(StorageError) {
        try FileSystem.write(Array("roost-founding 1\n".utf8), to: founding)
    }

    /// The database is complete: from now on it must be there. Durable on return.
    func markInitialized() throws(StorageError) {
        if try !isInitialized { try FileSystem.write(Self.initializedText, to: initialized) }
        guard try FileSystem.exists(founding) else { return }
        try FileSystem.remove(founding)
        try FileSystem.syncDirectory(path)
    }

    var isMarkedSuspect: Bool { get throws(StorageError) { try FileSystem.exists(suspectMark) } }

    /// Makes the node suspect, whatever becomes of the database; durable on return.
    func markSuspect() throws(StorageError) {
        try FileSystem.write(Array("roost-suspect 1\n".utf8), to: suspectMark)
    }

    /// The database says it now, or it is not true any more; durable on return.
    func unmarkSuspect() throws(StorageError) {
        try FileSystem.remove(suspectMark)
        try FileSystem.syncDirectory(path)
    }

    /// Moves the write-ahead log's files to `damaged/`, where nobody looks for them; durable on return.
    func setLogFilesAside() throws(StorageError) {
        let folder = path + "/damaged"
        try FileSystem.makeDirectories(folder)
        for name in try FileSystem.names(in: database).sorted() where name.hasSuffix(".log") {
            let (old, new) = (database + "/" + name, folder + "/" + name)
            guard rename(old, new) == 0 else { throw StorageError(errno: errno, "rename \(old) to \(new)") }
        }
        try FileSystem.syncDirectory(folder)
        try FileSystem.syncDirectory(database)
    }

    /// The identity of a directory in use or half made, nil for another.
    func existingIdentity() throws(StorageError) -> Identity? {
        guard var found = try identityFile()?.identity else { return nil }
        found.isNew = try isFounding
        return found
    }

    /// Reads the identity of a directory in use, or makes one for an empty directory.
    ///
    /// - Throws: `.corruption` when something durable is gone, `.wrongIdentity`, `.newerFormat`.
    func establishIdentity(for configuration: StoreConfiguration) throws(StorageError) -> Identity {
        guard let found = try existingIdentity() else {
            if try wasUsed {
                throw StorageError(.corruption, "\(identity) is missing, although a node has run on \(path)")
            }
            let made = try Identity.make(for: configuration)
            try markFounding()
            try write(made)
            Failpoint.foundAfterIdentity.reach()
            return made
        }
        try found.check(against: configuration)
        if try isCopy() { throw copied(found) }
        if !found.isNew, try !hasDatabase {
            throw StorageError(.corruption, "the database of node \(found.node) is missing from \(database)")
        }
        return found
    }
}
