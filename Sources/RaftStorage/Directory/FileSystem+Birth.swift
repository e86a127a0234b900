import CFileSystem
import Glibc

extension FileSystem {
    /// When the file was made, in nanoseconds since 1970; nil if its file system does not tell.
    ///
    /// Set once, when the file gets its inode, and nobody can set it afterwards: renaming the file or a directory above it
    /// keeps it, and every copy has another, whatever times the copying keeps.
    static func birth(of path: String) throws(StorageError) -> Int64? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw StorageError(errno: errno, "open \(path)") }
        defer { close(descriptor) }
        return try birth(of: descriptor, path)
    }

    /// - Parameter path: for messages.
    static func birth(of descriptor: Int32, _ path: String) throws(StorageError) -> Int64? {
        let birth = cfilesystem_birth(descriptor)
        guard birth >= 0 else { throw StorageError(errno: errno, "see when \(path) was made") }
        return birth == 0 ? nil : birth
    }
}
