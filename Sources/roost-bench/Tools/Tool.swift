import Foundation

/// Programs on this machine.
enum Tool {
    static func path(_ name: String) -> String? {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin").split(separator: ":")
        return folders.map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
    }

    /// This program.
    static var own: String { URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path }

    static func roostd(in folder: String?) -> String? {
        let folder =
            folder ?? URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().path
        let path = "\(folder)/roostd"
        return access(path, X_OK) == 0 ? path : nil
    }
}

/// Blocks this thread.
func pause(_ duration: Duration) {
    let parts = duration.components
    usleep(UInt32(parts.seconds) * 1_000_000 + UInt32(parts.attoseconds / 1_000_000_000_000))
}
