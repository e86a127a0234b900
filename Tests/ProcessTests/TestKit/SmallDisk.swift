import Foundation

/// A file system of a few MiB of its own, in memory, mounted for one test: the data directory of a node, which can be
/// filled without harm to anybody else. Needs root.
final class SmallDisk: Sendable {
    /// Why there can be none here; nil where there can.
    static let obstacle: String? = {
        if geteuid() != 0 { return "mounting a small file system needs root" }
        if Binaries.installed("mount") == nil { return "there is no mount(8)" }
        do {
            let sandbox = try Sandbox()
            defer { sandbox.close() }
            _ = try SmallDisk(sandbox, at: sandbox.path + "/trial", megabytes: 1)
            return nil
        } catch {
            return "\(error)"
        }
    }()

    /// Where it is mounted.
    let path: String

    init(_ sandbox: Sandbox, at path: String, megabytes: Int) throws {
        self.path = path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try Self.run(["mount", "-t", "tmpfs", "-o", "size=\(megabytes)m", "none", path], path)
        // Lazily: the processes on it are killed a moment later.
        sandbox.onClose { try? Self.run(["umount", "-l", path], path) }
    }

    /// Bytes that are free, and bytes in use.
    var free: Int { space.free }
    var used: Int { space.used }

    /// Somebody else's file takes everything but so many bytes.
    func fill(leaving rest: Int = 0) throws {
        let descriptor = open(path + "/filler", O_WRONLY | O_CREAT | O_CLOEXEC | O_APPEND, 0o600)
        guard descriptor >= 0 else { throw SystemError("open \(path)/filler") }
        defer { close(descriptor) }
        var piece = 1 << 20
        let zeros = [UInt8](repeating: 0, count: piece)
        while piece > 0 {
            let size = min(piece, free - rest)
            if size > 0, write(descriptor, zeros, size) > 0 { continue }
            // The last pages one by one.
            piece = piece > 4096 ? 4096 : 0
        }
    }

    /// That file goes.
    func empty() throws {
        guard unlink(path + "/filler") == 0 else { throw SystemError("unlink \(path)/filler") }
    }

    private var space: (free: Int, used: Int) {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return (0, 0) }
        let unit = Int(status.f_frsize)
        return (Int(status.f_bavail) * unit, (Int(status.f_blocks) - Int(status.f_bfree)) * unit)
    }

    private static func run(_ command: [String], _ path: String) throws {
        guard let tool = Binaries.installed(command[0]) else { throw TestFailure("no \(command[0])") }
        let output = path + ".mount"
        let process = try ChildProcess([tool] + command.dropFirst(), environment: Binaries.environment, output: output)
        let exit = try process.wait(within: .patience)
        guard exit == .code(0) else { throw TestFailure("\(command.joined(separator: " ")): \(readText(output))") }
    }
}
