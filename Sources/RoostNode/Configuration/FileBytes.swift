import Glibc

/// Reads small files whole.
enum FileBytes {
    struct Failure: Error, CustomStringConvertible {
        var errno: CInt
        var isPermission: Bool { errno == EACCES || errno == EPERM }
        var description: String { errno == EFBIG ? "too large" : String(cString: strerror(errno)) }
    }

    /// Blocks; for use at start only.
    static func read(_ path: String, limit: Int) throws(Failure) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure(errno: errno) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw Failure(errno: errno) }
            if count == 0 { return bytes }
            bytes += buffer[..<count]
            guard bytes.count <= limit else { throw Failure(errno: EFBIG) }
        }
    }
}
