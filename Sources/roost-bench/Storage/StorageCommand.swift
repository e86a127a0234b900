import ArgumentParser

struct StorageCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "storage",
        abstract: "Measure what lies below the network: log, state, restarts, snapshots, disks.",
        discussion: """
            Everything runs with the configuration that ships and with values that don't compress, one node unless said \
            otherwise. Without a subcommand, all of them, about twenty minutes.
            """,
        subcommands: [
            PathCommand.self, AmplificationCommand.self, RestartCommand.self, SnapshotCommand.self, DayCommand.self,
            FullDiskCommand.self, AllCommand.self,
        ],
        defaultSubcommand: AllCommand.self)

    struct AllCommand: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "all", abstract: "All of them, one after the other.")

        @OptionGroup var options: StorageOptions

        func run() throws {
            let own = ["--directory", options.directory] + (options.binaries.map { ["--binaries", $0] } ?? [])
            try PathCommand.parse(own).run()
            try AmplificationCommand.parse(own).run()
            try RestartCommand.parse(own).run()
            try SnapshotCommand.parse(own).run()
            try DayCommand.parse(own).run()
            try FullDiskCommand.parse(own).run()
        }
    }
}

/// What all of them take.
struct StorageOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Where the data goes; must be on a disk.", valueName: "folder"))
    var directory = "/var/tmp"
    @Option(help: ArgumentHelp("Where roostd lies; default: beside this program.", valueName: "folder"))
    var binaries: String?

    @Option(
        name: .customLong("roostd"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Another argument for roostd, to measure what does not ship.", valueName: "argument"))
    var arguments: [String] = []

    /// Runs `body` with an empty folder, after the conditions were printed.
    func measure(_ title: String, _ body: (_ workspace: Workspace, _ roostd: String) throws -> Void) throws {
        do {
            guard let roostd = Tool.roostd(in: binaries) else {
                throw BenchError("no roostd beside this program: swift build -c release, or --binaries")
            }
            let workspace = try Workspace(in: directory)
            defer { workspace.remove() }
            Interruption.cleanUp(workspace)
            let deviation = arguments.isEmpty ? "" : ", not as shipped: \(arguments.joined(separator: " "))"
            print("\(title)\(deviation)\n  \(Machine(directory: workspace.path, roostd: nil).summary)")
            try body(workspace, roostd)
        } catch let error as BenchError {
            Progress.say("\(error)")
            throw ExitCode(1)
        }
    }
}

/// A line for each figure, and the command that gives it again.
enum Findings {
    /// - Parameter target: what it should be; nil: it stands for itself.
    static func report(_ what: String, _ value: String, target: String? = nil) {
        print("  \(what): \(value)\(target.map { " (target: \($0))" } ?? "")")
    }

    static func command(_ words: String...) { print("  again: roost-bench storage \(words.joined(separator: " "))") }
}
