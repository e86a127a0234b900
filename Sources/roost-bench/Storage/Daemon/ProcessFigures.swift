import Foundation

/// What the kernel knows of a process.
enum ProcessFigures {
    /// Bytes that the process, this one by default, has caused to be written to disks, without those whose files were
    /// deleted before.
    static func writtenBytes(of pid: pid_t? = nil) throws -> Int {
        let path = "/proc/\(pid.map(String.init) ?? "self")/io"
        let counts = try fields(of: path)
        guard let written = counts["write_bytes"], let cancelled = counts["cancelled_write_bytes"] else {
            throw BenchError("\(path) does not say what was written")
        }
        return written - cancelled
    }

    /// Resident memory, in bytes.
    static func residentBytes(of pid: pid_t) throws -> Int {
        guard let kibibytes = try fields(of: "/proc/\(pid)/status")["VmRSS"] else {
            throw BenchError("/proc/\(pid)/status has no VmRSS")
        }
        return kibibytes << 10
    }

    /// Sum of the sizes of all files below a folder, as allocated.
    static func diskBytes(below folder: String) -> Int {
        let names = FileManager.default.enumerator(atPath: folder)?.allObjects as? [String] ?? []
        return names.reduce(0) { sum, name in
            var status = stat()
            guard lstat("\(folder)/\(name)", &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return sum }
            return sum + Int(status.st_blocks) * 512
        }
    }

    private static func fields(of path: String) throws -> [String: Int] {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { throw BenchError("no \(path)") }
        var fields: [String: Int] = [:]
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: ":")
            guard parts.count == 2,
                let number = parts[1].split(whereSeparator: \.isWhitespace).first.flatMap({ Int($0) })
            else { continue }
            fields[String(parts[0])] = number
        }
        return fields
    }
}
