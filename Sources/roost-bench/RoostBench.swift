import ArgumentParser
import Foundation

@main
struct RoostBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "roost-bench", abstract: "Measure Roost on this machine.",
        subcommands: [CompareCommand.self, TransferCommand.self, JoinCommand.self, StorageCommand.self],
        defaultSubcommand: CompareCommand.self)
}

/// What ends a measurement, in words.
struct BenchError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Lines on standard error.
enum Progress {
    static func say(_ line: String) { FileHandle.standardError.write(Data("\(line)\n".utf8)) }
}
