import ArgumentParser
import Foundation
import RoostNode

/// The daemon's command line. Without a subcommand it runs a node until it is told to stop.
@main
struct Roostd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "roostd",
        abstract: "A node of a replicated key-value store that speaks the Redis protocol.",
        discussion: """
            Every setting can also stand in the TOML file (section and key), and in the environment \
            (ROOST_SECTION_KEY). Flags win over the environment, the environment over the file, the file over the \
            defaults. --print-config shows the result, with every name.
            """,
        version: RoostVersion.current,
        subcommands: [CheckConfig.self, Verify.self, Inspect.self, RepairCommand.self])

    @OptionGroup var options: ConfigurationOptions

    @Flag(help: "Print the effective configuration as a commented TOML file, and end.")
    var printConfig = false

    func run() async throws {
        let effective = try options.load()
        if printConfig {
            print(ConfigurationPrinter.toml(effective), terminator: "")
        } else {
            try await Daemon(effective.configuration, environment: ProcessInfo.processInfo.environment).run()
        }
    }

    /// The parser's own `main` would print a bad command line its own way; every end of this process has one last line.
    static func main() async {
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch let failure as NodeFailure {
            ProcessEnd.fail(failure)
        } catch {
            // Help, version and completion scripts arrive as errors too.
            if exitCode(for: error).isSuccess { exit(withError: error) }
            ProcessEnd.fail(usageFailure(error))
        }
    }

    private static func usageFailure(_ error: any Error) -> NodeFailure {
        guard exitCode(for: error) == .validationFailure else {
            return NodeFailure(.unexpected, cause: "\(error)", remedy: "see the log; report it if it comes again")
        }
        return NodeFailure(.usage, cause: message(for: error), remedy: "see roostd --help")
    }
}
