/// The files that a node reads at its start alone, read again from the disk while it runs: which MANIFEST the database has,
/// whose directory this is, and the directory's marks that say something.
///
/// The content of `initialized` says nothing, and RocksDB reads neither OPTIONS nor LOG.
struct StartFiles {
    private let directory: DataDirectory
    private let owner: Identity

    /// - Parameter owner: whose directory it is, as the running node knows.
    init(_ directory: DataDirectory, owner: Identity) {
        self.directory = directory
        self.owner = owner
    }

    /// What is wrong with the small ones.
    ///
    /// - Throws: what says nothing of a file, e.g. `.tooManyFiles`.
    func hazards() throws(StorageError) -> [StartHazard] {
        let found = [
            try Self.hazard(.replacement, identityFlaw), try Self.hazard(.restart, companyFlaw),
            try Self.hazard(.removal, ledgerFlaw),
        ]
        return found.compactMap(\.self)
    }

    /// The path of the MANIFEST in use.
    ///
    /// - Throws: `.corruption` where CURRENT names none that is there, `.io`.
    func manifest() throws(StorageError) -> String { try Self.manifest(of: directory) }

    static func manifest(of directory: DataDirectory) throws(StorageError) -> String {
        var before: [UInt8]?
        while true {
            let bytes = try DiskFile.contents(of: directory.current)
            guard let name = bytes.flatMap(manifestName) else {
                throw StorageError(.corruption, "\(directory.current) names no MANIFEST")
            }
            let path = directory.database + "/" + name
            if try FileSystem.exists(path) { return path }
            // RocksDB may have begun a new one meanwhile, and removed that.
            guard before != bytes else {
                throw StorageError(.corruption, "\(directory.current) names \(name), which is not there")
            }
            before = bytes
        }
    }

    /// What `look` finds wrong, or comes upon.
    static func hazard(
        _ wayOut: StartHazard.WayOut, _ look: () throws(StorageError) -> String?
    ) throws(StorageError) -> StartHazard? {
        do throws(StorageError) { return try look().map { StartHazard($0, wayOut) } } catch {
            guard [.corruption, .newerFormat, .io].contains(error.kind) else { throw error }
            return StartHazard(error.message, wayOut)
        }
    }

    /// `MANIFEST-000005`, of a file that holds this and the end of a line.
    private static func manifestName(_ bytes: [UInt8]) -> String? {
        let text = String(decoding: bytes, as: UTF8.self)
        let (name, number) = (text.dropLast(), text.dropFirst("MANIFEST-".count).dropLast())
        guard text.hasPrefix("MANIFEST-"), text.last == "\n", !number.isEmpty,
            number.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
        else { return nil }
        return String(name)
    }

    private func identityFlaw() throws(StorageError) -> String? {
        let path = directory.identity
        guard let bytes = try DiskFile.contents(of: path) else { return "\(path) is missing" }
        var found = try IdentityFile.decode(bytes, path: path).identity
        found.isNew = owner.isNew
        return found == owner ? nil : "\(path) is that of node \(found.node), incarnation \(found.incarnation.hex)"
    }

    private func companyFlaw() throws(StorageError) -> String? {
        let path = directory.company
        guard let bytes = try DiskFile.contents(of: path) else { return nil }
        return Company(bytes) == nil ? "\(path) can't be read" : nil
    }

    private func ledgerFlaw() throws(StorageError) -> String? {
        let path = directory.repairs
        guard let bytes = try DiskFile.contents(of: path) else { return nil }
        return RepairLedger.lines(of: bytes) == nil ? "\(path) can't be read" : nil
    }
}
