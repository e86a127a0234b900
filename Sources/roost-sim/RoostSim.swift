import ArgumentParser
import Simulator

/// Runs simulated clusters through faults, seed by seed, and says what it took to break one.
@main
struct RoostSim: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "roost-sim",
        abstract: "Simulate Roost clusters under faults and check what must hold.",
        discussion: """
            Each seed is a world of its own: cluster size, limits and kinds of faults are drawn from it, and the same \
            seed repeats the same run. A run has a safety phase of --events events, and a liveness phase in which a \
            majority is healed and must answer.

            Exit codes: 0 no invariant was broken; 1 one was; 2 --require-coverage: a mark was not reached; 3 \
            --max-undecided: too many histories could not be judged. The last line says "ok", "UNDECIDED" when some key's \
            history was too hard to judge, or "FAILED".

            For every change: --fresh --seeds 200 --max-undecided 40, and --first 1 --seeds 50. For a night: --fresh \
            --seeds 20000 --events 100000 --jobs 2 --require-coverage --max-undecided 10000.
            """)

    @OptionGroup var seeds: SeedOptions
    @OptionGroup var limits: LimitOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        try limits.validate()
        if seeds.seed == nil {
            if output.trace != nil { throw ValidationError("--trace needs --seed: a trace is of one run") }
            if output.verbose { throw ValidationError("--verbose needs --seed") }
        } else if output.requireCoverage || output.maxUndecided != nil {
            throw ValidationError("--require-coverage and --max-undecided are for many seeds, not for --seed")
        }
    }

    func run() throws {
        let plan = try SeedPlan(seeds, limits.limits)
        if seeds.seed != nil {
            try SingleRun(plan: plan, output: output).run()
        } else {
            try SeedRange(plan: plan, output: output, jobs: seeds.jobs, stopsAtFailure: seeds.untilFailure).run()
        }
    }
}

/// Which seeds to run, and how far.
struct SeedOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Run this seed alone.", valueName: "S"))
    var seed: UInt64?
    @Option(help: ArgumentHelp("Run so many seeds.", valueName: "N"))
    var seeds: Int = 100
    @Option(help: ArgumentHelp("The first of the seeds.", valueName: "S"))
    var first: UInt64 = 1
    @Flag(help: "Take the first seed from the system's randomness; it is printed.")
    var fresh = false
    @Option(help: ArgumentHelp("Events of a run's safety phase.", valueName: "N"))
    var events: Int = 20_000
    @Option(help: ArgumentHelp("Worlds at the same time, each in a thread.", valueName: "N"))
    var jobs: Int = 1
    @Flag(help: "Stop at the first seed that fails.")
    var untilFailure = false
}

/// What is fixed instead of drawn.
struct LimitOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Voters at the beginning.", valueName: "N"))
    var nodes: Int?
    @Option(help: ArgumentHelp("Clients.", valueName: "N"))
    var clients: Int?
    @Option(help: ArgumentHelp("Only these kinds of faults: a list with commas, or none.", valueName: "KINDS"))
    var only: String?
    @Option(help: ArgumentHelp("None of these kinds of faults.", valueName: "KINDS"))
    var without: String?
    @Flag(name: .customLong("no-prevote"), help: "Elections without PreVote, as the TLA+ specification has them.")
    var withoutPreVote = false

    func validate() throws {
        if let nodes, !(1...9).contains(nodes) { throw ValidationError("--nodes takes 1 to 9") }
        if let clients, !(0...64).contains(clients) { throw ValidationError("--clients takes 0 to 64") }
        _ = try limits
    }

    var limits: SwarmOptions.Limits {
        get throws {
            var limits = SwarmOptions.Limits()
            limits.nodes = nodes
            limits.clients = clients
            limits.withoutPreVote = withoutPreVote
            if let only { limits.faults = FaultSet(try Self.kinds(only)) }
            for kind in try Self.kinds(without ?? "none") { limits.faults.remove(kind) }
            return limits
        }
    }

    private static func kinds(_ text: String) throws -> [FaultKind] {
        if text == "none" { return [] }
        return try text.split(separator: ",").map { name in
            guard let kind = FaultKind(rawValue: String(name)) else {
                let all = FaultKind.allCases.map(\.rawValue).joined(separator: ", ")
                throw ValidationError("there is no kind of fault '\(name)'; there are \(all)")
            }
            return kind
        }
    }
}

/// What to print.
struct OutputOptions: ParsableArguments {
    @Flag(help: "Print everything that happens (with --seed).")
    var verbose = false
    @Flag(help: "Print the hash of the run's trace (with --seed), or of each run.")
    var hash = false
    @Flag(help: "Print only failures and the last line.")
    var quiet = false
    @Flag(help: "After a failure, look for the smallest run that still fails.")
    var shrink = false
    @Flag(help: "Fail unless every coverage mark was reached.")
    var requireCoverage = false
    @Option(
        help: ArgumentHelp(
            "Fail when the histories of more keys than this were too hard to judge. Default: no limit.", valueName: "N")
    )
    var maxUndecided: Int?
    @Option(help: ArgumentHelp("Write the run's events to FILE as NDJSON (with --seed).", valueName: "FILE"))
    var trace: String?
}

/// How to make a seed's options.
struct SeedPlan: Sendable {
    let seeds: [UInt64]
    let events: Int
    let limits: SwarmOptions.Limits

    init(_ options: SeedOptions, _ limits: SwarmOptions.Limits) throws {
        guard options.seeds > 0, options.events > 0, options.jobs > 0 else {
            throw ValidationError("--seeds, --events and --jobs are at least 1")
        }
        let first = options.fresh ? UInt64.random(in: 1...1 << 40) : options.first
        if options.fresh { print("first seed \(first)") }
        seeds = options.seed.map { [$0] } ?? (0..<UInt64(options.seeds)).map { first &+ $0 }
        events = options.events
        self.limits = limits
    }

    func options(of seed: UInt64) -> SwarmOptions { .drawn(seed: seed, events: events, limits: limits) }
}
