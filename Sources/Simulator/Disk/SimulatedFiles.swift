import ByteCoding
import RaftStorage

/// The snapshot files of one process, on a disk that may be full, and whose bits may flip.
///
/// `@unchecked Sendable`: belongs to the one thread of its world.
final class SimulatedFiles: SnapshotFiles, @unchecked Sendable {
    private let files = MemoryFiles()
    private let disk: SimulatedDisk
    /// After so many reads the next one finds a flipped bit, and this is `nil` again; `nil`: never.
    var rotsAfterReads: Int?

    init(disk: SimulatedDisk) { self.disk = disk }

    /// Files that are there, whoever made them.
    var count: Int {
        ["snapshots", "incoming"].reduce(0) { $0 + ((try? files.names(in: $1))?.count ?? 0) }
    }

    func create(_ name: String) throws(StorageError) -> any SnapshotFile {
        try checkSpace()
        return SimulatedFile(file: try files.create(name), files: self)
    }

    func open(_ name: String) throws(StorageError) -> (any SnapshotFile)? {
        guard let file = try files.open(name) else { return nil }
        return SimulatedFile(file: file, files: self)
    }

    func rename(_ name: String, to newName: String) throws(StorageError) { try files.rename(name, to: newName) }
    func remove(_ name: String) throws(StorageError) { try files.remove(name) }
    func names(in folder: String) throws(StorageError) -> [String] { try files.names(in: folder) }

    func checkSpace() throws(StorageError) {
        if disk.isFull || disk.isNearlyFull { throw StorageError(.noSpace, "simulated: no space for a snapshot") }
    }

    /// What a read finds.
    func found(_ bytes: Bytes) -> Bytes {
        guard let left = rotsAfterReads, bytes.count > 0 else { return bytes }
        if left > 0 {
            rotsAfterReads = left - 1
            return bytes
        }
        rotsAfterReads = nil
        var array = bytes.array
        array[array.count / 2] ^= 0x10
        return Bytes(array)
    }
}

private final class SimulatedFile: SnapshotFile {
    private let file: any SnapshotFile
    private let files: SimulatedFiles

    init(file: any SnapshotFile, files: SimulatedFiles) {
        self.file = file
        self.files = files
    }

    func byteCount() throws(StorageError) -> UInt64 { try file.byteCount() }

    func read(at offset: UInt64, count: Int) throws(StorageError) -> Bytes {
        files.found(try file.read(at: offset, count: count))
    }

    func append(_ bytes: Bytes) throws(StorageError) {
        try files.checkSpace()
        try file.append(bytes)
    }

    func sync() throws(StorageError) { try file.sync() }
}
