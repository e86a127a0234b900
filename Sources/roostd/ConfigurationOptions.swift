import ArgumentParser
import Foundation
import RoostNode

/// Everything on the command line that makes up a configuration.
struct ConfigurationOptions: ParsableArguments {
    @Option(help: "A TOML file with settings.", completion: .file(extensions: ["toml"]))
    var config: String?

    @OptionGroup(title: "Node") var node: NodeFlags
    @OptionGroup(title: "Addresses") var addresses: AddressFlags
    @OptionGroup(title: "Log") var log: LogFlags
    @OptionGroup(title: "Consensus") var raft: RaftFlags
    @OptionGroup(title: "Storage") var storage: StorageFlags
    @OptionGroup(title: "Limits") var limits: LimitFlags

    /// - Parameter outer: options that stood before a subcommand's name; those of the subcommand win.
    /// - Throws: a `NodeFailure`; all problems but the one that it names are on standard error by then.
    func load(after outer: ConfigurationOptions? = nil) throws -> EffectiveConfiguration {
        let file = try (config ?? outer?.config).map(ConfigurationFile.read)
        do {
            return try EffectiveConfiguration(
                flags: (outer?.flags ?? []) + flags, environment: ProcessInfo.processInfo.environment, file: file)
        } catch {
            if error.problems.count > 1 { error.problems.forEach { ProcessEnd.say("roostd: \($0)") } }
            throw error.failure
        }
    }

    /// Everything that was given, in the order of the table.
    var flags: [EffectiveConfiguration.Flag] {
        node.given + addresses.given + log.given + raft.given + storage.given + limits.given
    }
}
