import Glibc

/// The few file operations that the directory's small files need, each durable when it returns.
enum FileSystem {
    /// Whether there is something of that name.
    ///
    /// - Throws: where that can't be told; only what the file system says is not there is not there.
    static func exists(_ path: String) throws(StorageError) -> Bool {
        if access(path, F_OK) == 0 { return true }
        guard errno == ENOENT || errno == ENOTDIR else { throw StorageError(errno: errno, "look for \(path)") }
        return false
    }

    /// Makes the directory and its missing parents.
    static func makeDirectories(_ path: String) throws(StorageError) {
        if mkdir(path, 0o750) == 0 { return try syncDirectory(parent(of: path)) }
        switch errno {
        case EEXIST where isDirectory(path): return
        case EACCES, EPERM: throw StorageError(.permission, "\(path) can't be made: \(text(of: errno))")
        case ENOENT where parent(of: path) != path:
            try makeDirectories(parent(of: path))
            guard mkdir(path, 0o750) == 0 || errno == EEXIST else { fallthrough }
            try syncDirectory(parent(of: path))
        default: throw StorageError(.cannotCreate, "\(path) can't be made: \(text(of: errno))")
        }
    }

    /// The whole file, nil if there is none.
    static func read(_ path: String) throws(StorageError) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            guard errno == ENOENT else { throw StorageError(errno: errno, "open \(path)") }
            return nil
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = uninterrupted { Glibc.read(descriptor, &buffer, buffer.count) }
            guard count >= 0 else { throw StorageError(errno: errno, "read \(path)") }
            if count == 0 { return bytes }
            bytes += buffer[..<count]
        }
    }

    /// Makes the directory's files whose names end so durable, and their names.
    static func syncFiles(named suffix: String, in path: String) throws(StorageError) {
        guard try exists(path) else { return }
        for name in try names(in: path).sorted() where name.hasSuffix(suffix) {
            let file = path + "/" + name
            let descriptor = open(file, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { throw StorageError(errno: errno, "open \(file)") }
            defer { close(descriptor) }
            guard fdatasync(descriptor) == 0 else { throw StorageError(errno: errno, "sync \(file)") }
        }
        try syncDirectory(path)
    }

    /// Makes or replaces the file: after a crash it is whole, old or new.
    static func write(_ bytes: [UInt8], to path: String) throws(StorageError) {
        try write(to: path) { (_) throws(StorageError) in bytes }
    }

    /// The same for a file that tells something of itself: `bytes` gets its descriptor while it is empty.
    static func write(
        to path: String, _ bytes: (_ descriptor: Int32) throws(StorageError) -> [UInt8]
    ) throws(StorageError) {
        let draft = path + ".tmp"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw StorageError(errno: errno, "make \(draft)") }
        defer { close(descriptor) }
        let bytes = try bytes(descriptor)
        let failure = bytes.withUnsafeBytes { append($0, to: descriptor) }
        if let failure { throw StorageError(errno: failure, "write \(draft)") }
        guard fsync(descriptor) == 0 else { throw StorageError(errno: errno, "sync \(draft)") }
        guard rename(draft, path) == 0 else { throw StorageError(errno: errno, "rename \(draft) to \(path)") }
        try syncDirectory(parent(of: path))
    }

    /// Removes a file; it need not be there.
    static func remove(_ path: String) throws(StorageError) {
        guard unlink(path) == 0 || errno == ENOENT else { throw StorageError(errno: errno, "remove \(path)") }
    }

    /// Copies a file's bytes; durable on return, but for its name.
    static func copy(_ old: String, to new: String) throws(StorageError) {
        let source = open(old, O_RDONLY | O_CLOEXEC)
        guard source >= 0 else { throw StorageError(errno: errno, "open \(old)") }
        defer { close(source) }
        let target = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard target >= 0 else { throw StorageError(errno: errno, "make \(new)") }
        defer { close(target) }
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = uninterrupted { Glibc.read(source, &buffer, buffer.count) }
            guard count >= 0 else { throw StorageError(errno: errno, "read \(old)") }
            if count == 0 { break }
            let failure = buffer.withUnsafeBytes { append(UnsafeRawBufferPointer(rebasing: $0[..<count]), to: target) }
            if let failure { throw StorageError(errno: failure, "write \(new)") }
        }
        guard fsync(target) == 0 else { throw StorageError(errno: errno, "sync \(new)") }
    }

    /// Removes a directory with the files in it; it need not be there. It must have no directories in it.
    static func removeDirectory(_ path: String) throws(StorageError) {
        guard try exists(path) else { return }
        for name in try names(in: path) { try remove(path + "/" + name) }
        guard rmdir(path) == 0 else { throw StorageError(errno: errno, "remove \(path)") }
    }

    /// Writes all of it at the descriptor's position.
    ///
    /// - Returns: the operating system's error, nil if there is none.
    static func append(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Int32? {
        var done = 0
        while done < bytes.count {
            let count = uninterrupted { Glibc.write(descriptor, bytes.baseAddress! + done, bytes.count - done) }
            guard count >= 0 else { return errno }
            // Nothing was said to be wrong, and nothing was taken.
            guard count > 0 else { return EIO }
            done += count
        }
        return nil
    }

    /// Repeats a call that a signal has interrupted before it did anything. Not for a sync: what one that failed has left
    /// undone, the next one may not know of.
    static func uninterrupted<Result: SignedInteger>(_ call: () -> Result) -> Result {
        while true {
            let result = call()
            guard result < 0, errno == EINTR else { return result }
        }
    }

    /// Makes new names in the directory durable.
    static func syncDirectory(_ path: String) throws(StorageError) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw StorageError(errno: errno, "open \(path)") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw StorageError(errno: errno, "sync \(path)") }
    }

    /// The file's size; 0 for one that is not there.
    static func byteCount(of path: String) -> UInt64 {
        var status = stat()
        return stat(path, &status) == 0 ? UInt64(status.st_size) : 0
    }

    /// Sum of the sizes of the directory's files whose name ends so, in bytes; files that vanish meanwhile count 0, and so
    /// does what can't be read. For who watches: nothing that must be right hangs on it.
    static func totalBytes(of suffix: String, in path: String) -> UInt64 {
        var total: UInt64 = 0
        for name in (try? names(in: path)) ?? [] where name.hasSuffix(suffix) {
            total += byteCount(of: path + "/" + name)
        }
        return total
    }

    /// What is in a directory, in no order.
    ///
    /// - Throws: also for one that is not there: who takes nothing for an answer asks `exists` before.
    static func names(in path: String) throws(StorageError) -> [String] {
        guard let directory = opendir(path) else { throw StorageError(errno: errno, "open \(path)") }
        defer { closedir(directory) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(directory) else {
                guard errno == 0 else { throw StorageError(errno: errno, "read \(path)") }
                return names
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
    }

    static func text(of code: Int32) -> String { String(cString: strerror(code)) }

    static func isFile(_ path: String) -> Bool { kind(of: path) == S_IFREG }

    private static func isDirectory(_ path: String) -> Bool { kind(of: path) == S_IFDIR }

    private static func kind(of path: String) -> mode_t? {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
    }

    static func parent(of path: String) -> String {
        guard let slash = path.dropLast().lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}

extension StorageError {
    /// What the operating system said to `doing`.
    init(errno code: Int32, _ doing: String) {
        let kind: Kind =
            switch code {
            case ENOSPC, EDQUOT: .noSpace
            case EACCES, EPERM: .permission
            case EMFILE, ENFILE: .tooManyFiles
            // EROFS is one: a file system is made so after a disk has failed, and no right helps against it.
            default: .io
            }
        self.init(kind, "\(doing): \(FileSystem.text(of: code))")
    }
}
