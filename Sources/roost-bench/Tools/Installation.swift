import Foundation

/// Brings what Roost is compared with onto this machine, if whoever runs it wants that.
enum Installation {
    /// - Returns: whether something was installed.
    static func offer(_ packages: [String], isWanted: Bool, folder: String) throws -> Bool {
        guard !packages.isEmpty, isWanted || ask(packages) else { return false }
        guard let aptGet = Tool.path("apt-get") else { throw BenchError("there is no apt-get on this machine") }
        // In run level 1 invoke-rc.d starts nothing: a service would share the machine with what is measured.
        let command =
            try root()
            + ["/usr/bin/env", "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1", aptGet, "-qq", "-y"]
        Progress.say("installing \(packages.joined(separator: ", "))")
        _ = try ChildProcess.output(of: command + ["update"], folder: folder, within: .seconds(300))
        _ = try ChildProcess.output(
            of: command + ["--no-install-recommends", "install"] + packages, folder: folder, within: .seconds(600))
        return true
    }

    private static func root() throws -> [String] {
        if getuid() == 0 { return [] }
        guard let sudo = Tool.path("sudo") else { throw BenchError("--install needs root, and there is no sudo") }
        return [sudo]
    }

    /// Only on a terminal; elsewhere the answer is no.
    private static func ask(_ packages: [String]) -> Bool {
        guard isatty(0) == 1, isatty(2) == 1, Tool.path("apt-get") != nil else { return false }
        let question =
            "Not installed: \(packages.joined(separator: ", ")). Install with apt-get, to compare with? [y/N] "
        FileHandle.standardError.write(Data(question.utf8))
        return readLine().map { ["y", "yes"].contains($0.lowercased()) } ?? false
    }
}
