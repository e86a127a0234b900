import ByteCoding
import CFileSystem
import Glibc
import Synchronization

/// Snapshots as files of the data directory.
struct DirectoryFiles: SnapshotFiles {
    private let root: String

    /// Makes the folders.
    init(root: String) throws(StorageError) {
        self.root = root
        for folder in [SnapshotFolder.own, SnapshotFolder.incoming] {
            try FileSystem.makeDirectories(root + "/" + folder)
        }
    }

    func create(_ name: String) throws(StorageError) -> any SnapshotFile {
        try PosixFile(path(name), O_RDWR | O_CREAT | O_TRUNC | O_APPEND)
    }

    func open(_ name: String) throws(StorageError) -> (any SnapshotFile)? {
        guard try FileSystem.exists(path(name)) else { return nil }
        return try PosixFile(path(name), O_RDWR | O_APPEND)
    }

    func rename(_ name: String, to newName: String) throws(StorageError) {
        guard Glibc.rename(path(name), path(newName)) == 0 else {
            throw StorageError(errno: errno, "rename \(path(name)) to \(path(newName))")
        }
        for folder in Set([FileSystem.parent(of: path(name)), FileSystem.parent(of: path(newName))]).sorted() {
            try FileSystem.syncDirectory(folder)
        }
    }

    func remove(_ name: String) throws(StorageError) {
        try FileSystem.remove(path(name))
    }

    func names(in folder: String) throws(StorageError) -> [String] { try FileSystem.names(in: path(folder)).sorted() }

    private func path(_ name: String) -> String { root + "/" + name }
}

/// One file; its descriptor stays valid when the name is gone.
private final class PosixFile: SnapshotFile {
    /// So much is handed to the disk at once. A sync of the write-ahead log waits for what the disk has before it: a snapshot
    /// that is left to the sync at its end holds up every write meanwhile.
    private static let writeBehindBytes = 1 << 20

    private let path: String
    private let descriptor: Int32
    /// Appended, and not handed to the disk.
    private let pending = Atomic(0)

    init(_ path: String, _ flags: Int32) throws(StorageError) {
        let descriptor = Glibc.open(path, flags | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw StorageError(errno: errno, "open \(path)") }
        self.path = path
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    func byteCount() throws(StorageError) -> UInt64 {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw StorageError(errno: errno, "examine \(path)") }
        return UInt64(status.st_size)
    }

    func read(at offset: UInt64, count: Int) throws(StorageError) -> Bytes {
        var failure: Int32?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, done in
            while done < count {
                let read = FileSystem.uninterrupted {
                    pread(descriptor, buffer.baseAddress! + done, count - done, off_t(offset) + off_t(done))
                }
                if read < 0 { failure = errno }
                if read <= 0 { return }
                done += read
            }
        }
        if let failure { throw StorageError(errno: failure, "read \(path)") }
        guard bytes.count == count else {
            throw StorageError(.corruption, "\(path) ends \(count - bytes.count) bytes before \(Int(offset) + count)")
        }
        return Bytes(bytes)
    }

    func append(_ bytes: Bytes) throws(StorageError) {
        let failure = bytes.withUnsafeBytes { FileSystem.append($0, to: descriptor) }
        if let failure { throw StorageError(errno: failure, "write \(path)") }
        guard pending.wrappingAdd(bytes.count, ordering: .relaxed).newValue >= Self.writeBehindBytes else { return }
        try writeBehind(pending.exchange(0, ordering: .relaxed))
    }

    /// Has the disk begin with the last `count` bytes, and waits for nothing but room in its queue. What fails later is told by
    /// `sync`. A file system that can't do it does all at the sync.
    private func writeBehind(_ count: Int) throws(StorageError) {
        let end = lseek(descriptor, 0, SEEK_END)
        guard end >= 0 else { throw StorageError(errno: errno, "examine \(path)") }
        let begun = cfilesystem_write_behind(descriptor, Int64(end) - Int64(count), Int64(count))
        guard begun == 0 || [ENOSYS, EINVAL, ESPIPE, EOPNOTSUPP].contains(errno) else {
            throw StorageError(errno: errno, "write \(path)")
        }
    }

    func sync() throws(StorageError) {
        guard fsync(descriptor) == 0 else { throw StorageError(errno: errno, "sync \(path)") }
    }
}
