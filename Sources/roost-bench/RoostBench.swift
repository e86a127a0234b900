import ArgumentParser
import Foundation

@main
struct RoostBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "roost-bench", abstract: "Measure Roost on this machine.",
        subcommands: [
            CompareCommand.self, LoadCommand.self, RocksDBCommand.self, ScalingCommand.self, FailoverCommand.self,
            TransferCommand.self, JoinCommand.self, StorageCommand.self,
        ],
        defaultSubcommand: CompareCommand.self)
}

/// What ends a measurement, in words.
struct BenchError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
