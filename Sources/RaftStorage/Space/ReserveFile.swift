import Glibc

/// Room that a data directory holds for its own recovery: a file `RESERVE` of allocated blocks that nobody reads.
///
/// A node that starts on a full disk removes it and has room to open the database, to apply again what was not flushed,
/// and to serve reads; it is made again once there is room for it.
package struct ReserveFile: Sendable {
    private let path: String

    /// - Parameter directory: The data directory.
    package init(directory: String) { path = DataDirectory(path: directory).reserve }

    /// Its size; 0 where there is none.
    package var byteCount: UInt64 {
        var status = stat()
        return stat(path, &status) == 0 ? UInt64(status.st_size) : 0
    }

    /// Makes it that large, all of it allocated and durable; another size is replaced.
    ///
    /// - Throws: `.noSpace` and others, with nothing left behind.
    package func make(byteCount: UInt64) throws(StorageError) {
        try remove()
        guard byteCount > 0 else { return }
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { throw StorageError(errno: errno, "make \(path)") }
        // Where a file system can't allocate without writing, this writes.
        var code = EINTR
        while code == EINTR { code = posix_fallocate(descriptor, 0, off_t(byteCount)) }
        if code == 0, fsync(descriptor) != 0 { code = errno }
        close(descriptor)
        guard code == 0 else {
            try remove()
            throw StorageError(errno: code, "allocate \(byteCount) bytes for \(path)")
        }
    }

    package func remove() throws(StorageError) { try FileSystem.remove(path) }
}
