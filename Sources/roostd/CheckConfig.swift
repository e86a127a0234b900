import ArgumentParser
import RoostNode

/// Looks at a configuration without starting anything: for units (`ExecStartPre=`) and for people before a restart.
struct CheckConfig: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check-config",
        abstract: "Check the configuration that roostd would run with, and end.",
        discussion: "Takes the same options. Ends with 0 if the configuration is good, with 78 if it is not.")

    @ParentCommand var daemon: Roostd

    @OptionGroup var options: ConfigurationOptions

    func run() throws {
        let effective = try options.load(after: daemon.options)
        // The parser takes the daemon's own flags here too.
        print(daemon.printConfig ? ConfigurationPrinter.toml(effective) : "roostd: the configuration is good")
    }
}
