import Glibc

/// Small whole files.
enum File {
    /// `nil` if the file cannot be read.
    static func read(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        while true {
            var received = 0
            let part = [UInt8](unsafeUninitializedCapacity: 16 << 10) { buffer, count in
                received = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
                count = max(received, 0)
            }
            if received < 0 { return nil }
            if received == 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes += part
        }
    }

    /// Replaces the file in one step, so that a reader never sees half of it.
    static func write(_ text: String, to path: String) throws(Failure) {
        let temporary = path + ".new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw failure("open", temporary) }
        let bytes = Array(text.utf8)
        let written = Glibc.write(descriptor, bytes, bytes.count)
        close(descriptor)
        guard written == bytes.count, rename(temporary, path) == 0 else { throw failure("write", path) }
    }

    /// An exclusive lock on the file, created if needed; it ends with the process at the latest.
    struct Lock: ~Copyable {
        private let descriptor: Int32

        /// `nil` if someone else holds it and `waiting` is false.
        init?(_ path: String, waiting: Bool) throws(Failure) {
            let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
            guard descriptor >= 0 else { throw failure("open", path) }
            while flock(descriptor, waiting ? LOCK_EX : LOCK_EX | LOCK_NB) != 0 {
                if errno == EINTR { continue }
                let error = errno
                close(descriptor)
                guard error == EWOULDBLOCK else { throw failure("lock", path) }
                return nil
            }
            self.descriptor = descriptor
        }

        deinit { close(descriptor) }
    }

    private static func failure(_ call: String, _ path: String) -> Failure {
        Failure(.refused, "\(call) \(path): \(String(cString: strerror(errno)))")
    }
}
