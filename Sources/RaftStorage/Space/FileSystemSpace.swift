import Glibc

/// Size and free bytes of a file system, as the kernel tells them at a moment.
package struct FileSystemSpace: Hashable, Sendable {
    package var capacityBytes: UInt64
    /// What a process without privileges may still take: file systems keep some for root.
    package var freeBytes: UInt64

    package init(capacityBytes: UInt64, freeBytes: UInt64) {
        self.capacityBytes = capacityBytes
        self.freeBytes = freeBytes
    }

    /// Asks for the file system of `path`, or of the nearest parent that exists. Takes microseconds on a local file
    /// system, and as long as it likes on one that hangs: never on an event loop.
    package init(of path: String) throws(StorageError) {
        var existing = path
        while try !FileSystem.exists(existing), FileSystem.parent(of: existing) != existing {
            existing = FileSystem.parent(of: existing)
        }
        var status = statvfs()
        guard FileSystem.uninterrupted({ statvfs(existing, &status) }) == 0 else {
            throw StorageError(errno: errno, "statvfs \(existing)")
        }
        let unit = UInt64(status.f_frsize)
        self.init(capacityBytes: UInt64(status.f_blocks) * unit, freeBytes: UInt64(status.f_bavail) * unit)
    }
}
