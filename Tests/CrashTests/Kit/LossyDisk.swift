import Foundation
import Synchronization

/// A file system in a file, whose power can be cut: what was not synced is gone, as far as the kernel kept it back.
///
/// It writes back as late as it may (`commit=600`), so that a missing sync shows. What a cut does not show: a device
/// that loses its own cache, sectors torn in the middle.
final class LossyDisk: Sendable {
    enum Cut: CaseIterable {
        /// The processes are killed, then what has reached the device is copied, and the copy mounted.
        case copy
        /// The file system stops in the middle of work, and takes nothing more: processes see I/O errors first.
        case stop
    }

    /// Where it is mounted.
    let path: String
    private let image: String
    private let isMounted = Mutex(false)

    /// Why this machine can't do it; `nil` if it can.
    static let obstacle: String? = {
        guard getuid() == 0 else { return "loop mounts need root" }
        do {
            let sandbox = try Sandbox()
            defer { sandbox.close() }
            let disk = try LossyDisk(sandbox, mebibytes: 16)
            try run("sh", "-c", "echo x > \(disk.path)/x && sync \(disk.path)/x")
            try disk.cut(.copy)
            try disk.cut(.stop)
            return nil
        } catch {
            return "\(error)"
        }
    }()

    static var isAvailable: Bool { Skipping.passes("power cuts", obstacle) }

    init(_ sandbox: Sandbox, mebibytes: Int) throws {
        let base = sandbox.newFolder("disk")
        (path, image) = (base, base + ".image")
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try run("truncate", "-s", "\(mebibytes)M", image)
        try run("mkfs.ext4", "-q", "-F", "-m", "0", image)
        try mount()
        // Lazily: processes of the test may still live, and are killed next.
        sandbox.onClose { [self] in if isMounted.withLock(\.self) { _ = try? run("umount", "-l", path) } }
    }

    /// Bytes that are free.
    var freeBytes: Int {
        var status = statvfs()
        return statvfs(path, &status) == 0 ? Int(status.f_bavail) * Int(status.f_frsize) : 0
    }

    /// Cuts the power and restores it. Processes that use the disk must be dead before `.copy`, and die after `.stop`.
    ///
    /// - Parameter kill: ends those processes.
    func cut(_ kind: Cut, killing kill: () throws -> Void = {}) throws {
        switch kind {
        case .copy:
            try kill()
            let copy = image + ".copy"
            try run("cp", "--sparse=always", image, copy)
            try unmount()
            try run("mv", copy, image)
        case .stop:
            try shutDown()
            try kill()
            try unmount()
        }
        try mount()
    }

    /// `EXT4_IOC_SHUTDOWN` without flushing the journal.
    private func shutDown() throws {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemError("open(\(path))") }
        defer { close(descriptor) }
        var flags: UInt32 = 2
        guard ioctl(descriptor, 0x8004_587D, &flags) == 0 else { throw SystemError("shutdown of \(path)") }
    }

    private func mount() throws {
        try run("mount", "-o", "loop,commit=600", image, path)
        isMounted.withLock { $0 = true }
    }

    /// A process that was killed may hold the mount for a moment longer.
    private func unmount() throws {
        try eventually("\(path) is unmounted") { try run("umount", path) }
        isMounted.withLock { $0 = false }
    }
}
