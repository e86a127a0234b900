import ArgumentParser
import Foundation

/// What the forms that change a cluster's membership have in common.
struct MemberOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Where the servers keep their data; must be on a disk.", valueName: "folder"))
    var directory = "/var/tmp"
    @Option(help: ArgumentHelp("Where roostd lies; default: beside this program.", valueName: "folder"))
    var binaries: String?
    @Option(help: "Keys of 16 bytes that the cluster holds.") var keys = 1_000_000
    @Option(help: "Length of their values.") var valueBytes = 100

    func validate() throws {
        guard (0...100_000_000).contains(keys) else { throw ValidationError("--keys: expected 0 to 100000000") }
        guard (1...1 << 20).contains(valueBytes) else { throw ValidationError("--value-bytes: expected 1 to 1048576") }
    }

    /// Runs `body` with an empty folder, and prints the conditions before what it prints.
    func measure(_ body: (_ roostd: String, _ folder: String) throws -> Void) throws {
        do {
            guard let roostd = Tool.roostd(in: binaries) else {
                throw BenchError("no roostd beside this program: swift build -c release, or --binaries")
            }
            let workspace = try Workspace(in: directory)
            defer { workspace.remove() }
            Interruption.cleanUp(workspace)
            print(Machine(directory: workspace.path, roostd: roostd).summary)
            print("\(keys) keys with values of \(valueBytes) bytes, servers and load on the same machine")
            try workspace.withFolder("members") { try body(roostd, $0) }
        } catch let error as BenchError {
            Progress.say("\(error)")
            throw ExitCode(1)
        }
    }
}
