import ArgumentParser

/// Does a fixed amount of work on the hot path, for whoever counts the instructions.
@main
struct RoostBudget: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "roost-budget",
        abstract: "Do a fixed amount of work on the hot path, in one thread, without disk and network.",
        discussion: """
            Two runs of different lengths under `valgrind --tool=callgrind` tell the instructions of one operation: \
            what starts and ends the process is in both. `make budgets` does that, and compares with .ci/budgets.
            """)

    @Argument(help: "What to do: \(Workload.allCases.map(\.rawValue).joined(separator: ", ")).")
    var workload: Workload
    @Argument(help: "How many operations; rounded up to whole turns.")
    var operations: Int

    func run() throws { try workload.run(operations) }
}

/// What is counted. An operation is a command, or a block of commands.
enum Workload: String, CaseIterable, ExpressibleByArgument {
    /// A connection's SETs, 64 in a turn: parsed, logged, applied, answered.
    case set
    /// The same with one SET in a turn.
    case setAlone = "set-alone"
    /// A connection's GETs, 64 in a turn, answered from the state at once.
    case get
    /// Blocks of 64 SETs from a leader to a follower: logged, sent, checked, acknowledged and applied on both.
    case entry

    func run(_ operations: Int) throws {
        switch self {
        case .set: try DoorWorkload(Self.setCommand, perTurn: 64).run(operations)
        case .setAlone: try DoorWorkload(Self.setCommand, perTurn: 1).run(operations)
        case .get: try DoorWorkload(Self.getCommand, perTurn: 64).run(operations)
        case .entry: try EntryWorkload().run(operations)
        }
    }

    private static let setCommand = [
        "SET", Sample.key, String(repeating: "x", count: Sample.valueBytes),
    ]
    private static let getCommand = ["GET", Sample.key]
}

/// The sizes that the benchmarks use.
enum Sample {
    static let key = "key:000000012345"
    static let valueBytes = 100
}
