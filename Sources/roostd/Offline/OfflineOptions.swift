import ArgumentParser
import Foundation
import RaftStorage
import RoostNode

/// Which data directory a command looks at while no node runs on it, and how it shows what it finds.
struct OfflineOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The node's data directory.", valueName: "dir"), completion: .directory)
    var dataDir: String?

    @Option(help: "A TOML file with settings, for its data directory.", completion: .file(extensions: ["toml"]))
    var config: String?

    @Flag(help: "Print JSON.")
    var json = false

    /// The flag's, else that of the configuration that a node would run with.
    ///
    /// - Parameter outer: options that stood before the subcommand's name.
    /// - Throws: a `NodeFailure` for a configuration that is not good.
    func directory(after outer: ConfigurationOptions) throws -> String {
        if let dataDir { return dataDir }
        var options = outer
        options.config = config ?? outer.config
        return try options.load().configuration.node.dataDir
    }

    /// Runs what looks into a directory; its errors end the process as those of a node would.
    static func looking<R>(_ body: () throws(StorageError) -> R) throws(NodeFailure) -> R {
        do { return try body() } catch { throw NodeFailure(storage: error) }
    }
}
