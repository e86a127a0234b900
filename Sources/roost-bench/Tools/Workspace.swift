import Foundation

/// The folder in which the servers keep their data while they are measured.
final class Workspace: Sendable {
    let path: String

    /// - Throws: `BenchError` for a folder in memory: a sync costs nothing there, and the figures would mean nothing.
    init(in directory: String) throws {
        var template = Array("\(directory)/roost-bench-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw BenchError("cannot make a folder in \(directory): \(String(cString: strerror(errno)))")
        }
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        if ["tmpfs", "ramfs"].contains(Machine.fileSystem(of: path)) {
            remove()
            throw BenchError("\(directory) is in memory, so nothing there is durable: --directory on a disk")
        }
    }

    /// An empty folder for the time of `body`.
    func withFolder<R>(_ name: String, _ body: (String) throws -> R) throws -> R {
        Interruption.checkpoint()
        let folder = "\(path)/\(name)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        return try body(folder)
    }

    func remove() { try? FileManager.default.removeItem(atPath: path) }
}
