import Foundation

/// Where the programs under test lie: beside the test bundle, or in `ROOST_BIN_DIR`.
enum Binaries {
    static let roostd = path("roostd")
    static let roostctl = path("roostctl")
    static let roostBench = path("roost-bench")

    /// A tool of the system, `nil` when it is not installed.
    static func installed(_ name: String) -> String? {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin").split(separator: ":")
        return folders.map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
    }

    /// What a child may see of our environment. No `ROOST_…`: the daemon refuses the names it does not know.
    static let environment: [String: String] = ProcessInfo.processInfo.environment.filter { name, _ in
        ["PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH"].contains(name)
    }

    private static func path(_ name: String) -> String {
        if let folder = ProcessInfo.processInfo.environment["ROOST_BIN_DIR"] { return "\(folder)/\(name)" }
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let length = readlink("/proc/self/exe", &buffer, buffer.count)
        let executable = String(decoding: buffer.prefix(max(length, 0)).map(UInt8.init(bitPattern:)), as: UTF8.self)
        let folders = [executable, CommandLine.arguments[0]].map {
            $0.split(separator: "/", omittingEmptySubsequences: false)
        }
        for folder in folders {
            let candidate = folder.dropLast().joined(separator: "/") + "/\(name)"
            if access(candidate, X_OK) == 0 { return candidate }
        }
        // Not found: the first start says so, by name.
        return folders[0].dropLast().joined(separator: "/") + "/\(name)"
    }
}
