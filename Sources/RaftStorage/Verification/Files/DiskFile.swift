import Glibc

/// A file that is read front to back through one window of memory, for looking at what RocksDB wrote.
///
/// Owned by one thread. The window grows to the largest run that was asked for.
final class DiskFile {
    /// Where the bytes come from.
    enum Source {
        /// Wherever the kernel has them.
        case anywhere
        /// The disk, not the kernel's memory, which is left as it is: what is read there may be right long after the
        /// disk has gone wrong. A file system without direct I/O reads as usual.
        case disk
    }

    let path: String
    /// When it was opened.
    let byteCount: Int
    private let descriptor: Int32
    private var window: UnsafeMutableRawBufferPointer
    private var windowStart = 0
    private var windowFill = 0

    /// Direct I/O wants offsets, sizes and memory in multiples of the device's block; a page is one everywhere.
    private static let page = 4096
    // Glibc hides the name from those that don't ask for its extensions; the number is the kernel's.
    #if arch(arm64)
    private static let direct: Int32 = 0x10000
    #else
    private static let direct: Int32 = 0x4000
    #endif
    private static let windowBytes = 1 << 20

    init(_ path: String, from source: Source = .anywhere) throws(StorageError) {
        self.path = path
        var descriptor: Int32 = -1
        if source == .disk { descriptor = open(path, O_RDONLY | O_CLOEXEC | Self.direct) }
        if descriptor < 0 { descriptor = open(path, O_RDONLY | O_CLOEXEC) }
        guard descriptor >= 0 else { throw StorageError(errno: errno, "open \(path)") }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let code = errno
            close(descriptor)
            throw StorageError(errno: code, "examine \(path)")
        }
        self.descriptor = descriptor
        byteCount = Int(status.st_size)
        window = .allocate(byteCount: Self.windowBytes, alignment: Self.page)
    }

    deinit {
        window.deallocate()
        close(descriptor)
    }

    /// All bytes of a small file, from the disk itself; nil if there is none.
    ///
    /// - Throws: `.corruption` for one that became shorter meanwhile, `.io`.
    static func contents(of path: String) throws(StorageError) -> [UInt8]? {
        let file: DiskFile
        do throws(StorageError) { file = try DiskFile(path, from: .disk) } catch {
            guard try FileSystem.exists(path) else { return nil }
            throw error
        }
        return try file.withBytes(0, file.byteCount) { (bytes) throws(StorageError) in Array(bytes) }
    }

    /// Gives `body` the bytes `offset ..< offset + count`; they are valid only during the call.
    ///
    /// - Throws: `.corruption` when the file ends before, `.io`, and what `body` throws.
    func withBytes<R>(
        _ offset: Int, _ count: Int, _ body: (UnsafeRawBufferPointer) throws(StorageError) -> R
    ) throws(StorageError) -> R {
        guard offset >= 0, count >= 0, count <= byteCount - offset else {
            throw StorageError(.corruption, "\(path) ends at \(byteCount), within \(count) bytes at \(offset)")
        }
        if offset < windowStart || offset + count > windowStart + windowFill { try fill(offset, count) }
        let start = offset - windowStart
        return try body(UnsafeRawBufferPointer(rebasing: window[start..<start + count]))
    }

    private func fill(_ offset: Int, _ count: Int) throws(StorageError) {
        windowStart = offset / Self.page * Self.page
        windowFill = 0
        let needed = offset + count - windowStart
        if needed > window.count {
            let pages = (needed + Self.page - 1) / Self.page
            window.deallocate()
            window = .allocate(byteCount: pages * Self.page, alignment: Self.page)
        }
        while windowFill < needed {
            let read = pread(
                descriptor, window.baseAddress! + windowFill, window.count - windowFill, off_t(windowStart + windowFill)
            )
            if read < 0, errno == EINTR { continue }
            guard read >= 0 else { throw StorageError(errno: errno, "read \(path)") }
            guard read > 0 else {
                throw StorageError(.corruption, "\(path) ended at \(windowStart + windowFill) while it was read")
            }
            windowFill += read
        }
    }
}
