import Glibc

/// Keeps a second process out of a data directory: an advisory lock (`flock`) on a file of its own, which the kernel
/// takes back when the process ends, however it ends. The file holds the owner's process id, for messages only.
final class DirectoryLock: Sendable {
    /// Set last: an initializer that fails with it set has `deinit` close it, a second time, when it may be another
    /// thread's.
    private let descriptor: Int32

    /// - Throws: `.locked` at once, without waiting, when somebody holds it; also this process.
    init(path: String) throws(StorageError) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw StorageError(errno: errno, "open \(path)") }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            let owner = Self.owner(descriptor)
            Glibc.close(descriptor)
            guard code == EWOULDBLOCK else { throw StorageError(errno: code, "lock \(path)") }
            throw StorageError(.locked, "\(path) is held by process \(owner)")
        }
        let text = "\(getpid())\n"
        ftruncate(descriptor, 0)
        _ = text.withCString { pwrite(descriptor, $0, strlen($0), 0) }
        self.descriptor = descriptor
    }

    /// Keeps every node out, but not others that only look; changes nothing. Nil if no node was ever here.
    ///
    /// - Throws: `.locked` at once while a node uses the directory.
    init?(lookingAt path: String) throws(StorageError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw StorageError(errno: errno, "open \(path)")
        }
        guard flock(descriptor, LOCK_SH | LOCK_NB) == 0 else {
            let code = errno
            let owner = Self.owner(descriptor)
            Glibc.close(descriptor)
            guard code == EWOULDBLOCK else { throw StorageError(errno: code, "lock \(path)") }
            throw StorageError(.locked, "\(path) is held by process \(owner)")
        }
        self.descriptor = descriptor
    }

    /// Closing the only descriptor releases the lock.
    deinit { Glibc.close(descriptor) }

    private static func owner(_ descriptor: Int32) -> String {
        var buffer = [UInt8](repeating: 0, count: 20)
        let count = pread(descriptor, &buffer, buffer.count, 0)
        let digits = buffer.prefix(max(0, count)).prefix { (0x30...0x39).contains($0) }
        return digits.isEmpty ? "(unknown)" : String(decoding: digits, as: UTF8.self)
    }
}
