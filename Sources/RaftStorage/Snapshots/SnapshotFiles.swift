package import ByteCoding

/// Where snapshots lie as files: below the data directory, in memory, or on a simulated disk.
///
/// Names are relative, with one folder: `snapshots/…` for those that this node made, `incoming/…` for those that it
/// receives. Threads: any; one file is written by one thread at a time.
package protocol SnapshotFiles: Sendable {
    /// Makes a new, empty file, replacing one that is there.
    func create(_ name: String) throws(StorageError) -> any SnapshotFile
    /// The file of that name, nil if there is none.
    func open(_ name: String) throws(StorageError) -> (any SnapshotFile)?
    /// Durable on return; replaces.
    func rename(_ name: String, to newName: String) throws(StorageError)
    /// Who has the file open goes on reading. No matter if there is none.
    func remove(_ name: String) throws(StorageError)
    /// The names in a folder, ascending.
    func names(in folder: String) throws(StorageError) -> [String]
}

/// An open file. Closed with the last reference.
package protocol SnapshotFile: Sendable {
    func byteCount() throws(StorageError) -> UInt64
    /// Exactly `count` bytes.
    ///
    /// - Throws: `.corruption` when the file ends before.
    func read(at offset: UInt64, count: Int) throws(StorageError) -> Bytes
    func append(_ bytes: Bytes) throws(StorageError)
    /// Makes everything appended durable; the name is made so by `rename`.
    func sync() throws(StorageError)
}

/// The two folders.
enum SnapshotFolder {
    static let own = "snapshots"
    static let incoming = "incoming"
}

extension SnapshotFiles {
    /// Removes whatever earlier runs left: a transfer begins anew after a restart, and a snapshot is made anew.
    func removeLeftovers() throws(StorageError) {
        for folder in [SnapshotFolder.own, SnapshotFolder.incoming] {
            for name in try names(in: folder) { try remove(folder + "/" + name) }
        }
    }
}
