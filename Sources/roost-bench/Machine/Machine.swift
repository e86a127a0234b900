import Foundation

/// The conditions under which figures were taken; without them they compare with nothing.
struct Machine: Codable {
    let processor: String
    let cores: Int
    let memoryGiB: Int
    let kernel: String
    let fileSystem: String
    let versions: [String]

    /// - Parameter roostd: its path, so that its version is told too.
    init(directory: String, roostd: String?) {
        processor = Self.processorName
        cores = ProcessInfo.processInfo.processorCount
        memoryGiB = Int(ProcessInfo.processInfo.physicalMemory >> 30)
        kernel = Self.text("/proc/sys/kernel/osrelease")
        fileSystem = Self.fileSystem(of: directory)
        versions = [roostd, Tool.path("redis-server"), Tool.path("etcd")].compactMap(\.self).map { path in
            let words =
                (try? ChildProcess.output(of: [path, "--version"], folder: directory, within: .seconds(5))) ?? ""
            let first = words.split(separator: "\n").first.map { String($0.prefix(40)) } ?? "no version"
            return "\(path): \(first)"
        }
    }

    var summary: String {
        (["\(cores) cores (\(processor)), \(memoryGiB) GiB, Linux \(kernel), data on \(fileSystem)"] + versions)
            .joined(separator: "\n")
    }

    /// The type of the mount that the path lies on, as the kernel names it.
    static func fileSystem(of path: String) -> String {
        let path = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        var best = (mount: "", type: "unknown")
        for line in text("/proc/mounts").split(separator: "\n") {
            let columns = line.split(separator: " ")
            guard columns.count > 2 else { continue }
            let mount = String(columns[1])
            let holds = path == mount || path.hasPrefix(mount == "/" ? "/" : mount + "/")
            // Of two mounts on one place the later one is seen.
            if holds, mount.count >= best.mount.count { best = (mount, String(columns[2])) }
        }
        return best.type
    }

    private static var processorName: String {
        let line = text("/proc/cpuinfo").split(separator: "\n").first { $0.hasPrefix("model name") }
        return line?.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) } ?? "unknown"
    }

    private static func text(_ path: String) -> String {
        ((try? String(contentsOfFile: path, encoding: .utf8)) ?? "").trimmingCharacters(in: .newlines)
    }
}
