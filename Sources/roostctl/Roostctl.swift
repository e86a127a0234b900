import ArgumentParser

/// The command line client: keys, the cluster's state and members, and the demo.
@main
struct Roostctl: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "roostctl",
        abstract: "Talk to a Roost cluster.",
        discussion: """
            Nodes default to the environment variable ROOST_NODES, then to 127.0.0.1:6400, then, if nothing listens \
            there, to the demo's 127.0.0.1:6401-6403. Options stand before the verb.

            Exit codes:
              0   done; status: healthy
              1   get: no such key; status: degraded
              2   status: no majority
              3   refused: a node answered with an error, or the demo cannot do it
              4   unavailable: certainly not done, it is safe to try again
              5   outcome unknown: a write was sent and may or may not take effect
              6   the nodes belong to two clusters, or are no Roost nodes
              64  usage
            """,
        version: "0.1.0",
        subcommands: [
            SetCommand.self, GetCommand.self, DeleteCommand.self, AppendCommand.self, IncrementCommand.self,
            StatusCommand.self, MemberCommand.self, TransferCommand.self, DemoCommand.self, CompletionCommand.self,
        ])

    @OptionGroup var client: ClientOptions

    static func main() { main(VerbArguments.protected(Array(CommandLine.arguments.dropFirst()))) }
}
