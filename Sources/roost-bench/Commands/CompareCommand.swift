import ArgumentParser
import Foundation

/// Measures Roost beside what it is compared with, in one run on one machine, each server in turn.
struct CompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Measure Roost beside raw RocksDB, Redis and etcd: what is done when no form is named.",
        discussion: """
            Every round starts each server on an empty folder, measures it alone, and stops it; the figures are medians \
            of the rounds. The load comes from this program, for etcd from h2load. A tool that is not installed is \
            named, and its rows are missing. Any of --workload, --connections, --pipeline, --value-bytes, \
            --distribution and --rate replaces the plan by all combinations of what is given.

            The table goes to standard output, progress to standard error.
            """)

    @Flag(help: "Fewer subjects and workloads, and shorter ones: about three minutes.") var quick = false
    @Flag(help: "Install missing servers with apt-get, as root or through sudo.") var install = false
    @Option(help: ArgumentHelp("Rounds of which the medians are taken.", valueName: "number")) var rounds: Int?
    @Option(help: ArgumentHelp("Seconds of one figure.", valueName: "seconds")) var seconds: Double?
    @Option(help: ArgumentHelp("Load before them that is not counted.", valueName: "seconds")) var warmup: Double?
    @Option(help: ArgumentHelp("Keys in the store.", valueName: "number")) var records: Int?

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp("A subject, or several with commas; default: all.", valueName: "subject,..."))
    var only: [CommaList<SubjectKind>] = []
    @Option(parsing: .singleValue, help: ArgumentHelp("Workloads.", valueName: "workload,..."))
    var workload: [CommaList<Traffic>] = []
    @Option(parsing: .singleValue, help: ArgumentHelp("Numbers of connections.", valueName: "number,..."))
    var connections: [CommaList<Int>] = []
    @Option(parsing: .singleValue, help: ArgumentHelp("Requests under way on each.", valueName: "number,..."))
    var pipeline: [CommaList<Int>] = []
    @Option(parsing: .singleValue, help: ArgumentHelp("Lengths of values.", valueName: "bytes,..."))
    var valueBytes: [CommaList<Int>] = []
    @Option(help: "uniform or zipf; default: uniform, and zipf for YCSB's letters.") var distribution: KeyDistribution?
    @Option(
        help: ArgumentHelp("Open loop: operations begun per second, whatever the server does.", valueName: "number"))
    var rate: Int?

    @Option(help: ArgumentHelp("Where the servers keep their data; must be on a disk.", valueName: "folder"))
    var directory = "/var/tmp"
    @Option(help: ArgumentHelp("The figures as JSON.", valueName: "file")) var json = "roost-bench.json"
    @Option(help: ArgumentHelp("The figures as a page with pictures.", valueName: "file"))
    var html = "roost-bench.html"
    @Option(help: ArgumentHelp("Where roostd lies; default: beside this program.", valueName: "folder"))
    var binaries: String?

    func validate() throws {
        try check("--rounds", rounds, 1...99)
        try check("--rate", rate, 1...10_000_000)
        try check("--records", records, 1_000...100_000_000)
        for count in connections.flatMap(\.values) { try check("--connections", count, 1...10_000) }
        for count in pipeline.flatMap(\.values) { try check("--pipeline", count, 1...1_024) }
        for count in valueBytes.flatMap(\.values) { try check("--value-bytes", count, 1...1 << 20) }
        if let seconds, !(0.1...3_600).contains(seconds) { throw ValidationError("--seconds: expected 0.1 to 3600") }
        if let warmup, !(0...600).contains(warmup) { throw ValidationError("--warmup: expected 0 to 600") }
    }

    private func check(_ name: String, _ value: Int?, _ range: ClosedRange<Int>) throws {
        guard let value, !range.contains(value) else { return }
        throw ValidationError("\(name): expected \(range.lowerBound) to \(range.upperBound)")
    }

    func run() throws {
        do {
            let workspace = try Workspace(in: directory)
            defer { workspace.remove() }
            Interruption.cleanUp(workspace)
            let report = try measure(workspace)
            print(Table.text(report))
            try report.writeJSON(to: json)
            try Page.html(report).write(toFile: html, atomically: true, encoding: .utf8)
            Progress.say("figures written to \(json) and \(html)")
            if report.failures > 0 { throw ExitCode(1) }
        } catch let error as BenchError {
            Progress.say("\(error)")
            throw ExitCode(1)
        }
    }

    /// What was asked for.
    private var plan: Plan {
        var plan = quick ? Plan.quick : Plan.full
        if [workload.isEmpty, connections.isEmpty, pipeline.isEmpty, valueBytes.isEmpty].contains(false)
            || distribution != nil || rate != nil
        {
            plan.workloads = combinations
        }
        plan.rounds = rounds ?? plan.rounds
        if rounds != nil { plan.timeLimit = .seconds(1_000_000) }
        plan.effort.seconds = seconds ?? plan.effort.seconds
        plan.effort.warmup = warmup ?? plan.effort.warmup
        plan.effort.records = records ?? plan.effort.records
        return plan
    }

    private var combinations: [Workload] {
        func given<Value>(_ lists: [CommaList<Value>], or usual: [Value]) -> [Value] {
            lists.isEmpty ? usual : lists.flatMap(\.values)
        }
        var all: [Workload] = []
        for bytes in given(valueBytes, or: [100]) {
            for traffic in given(workload, or: [.write, .read]) {
                for depth in given(pipeline, or: [1]) {
                    for count in given(connections, or: [64]) {
                        all.append(
                            Workload(
                                traffic, valueBytes: bytes, connections: count, pipeline: depth, keys: distribution,
                                rate: rate))
                    }
                }
            }
        }
        return all
    }

    private func measure(_ workspace: Workspace) throws -> Report {
        let plan = plan
        let roostd = Tool.roostd(in: binaries)
        let wanted = Set(only.isEmpty ? plan.subjects : only.flatMap(\.values))
        var subjects = Subjects(roostd: roostd, wanted: wanted)
        if try Installation.offer(subjects.packages, isWanted: install, folder: workspace.path) {
            subjects = Subjects(roostd: roostd, wanted: wanted)
        }
        for sentence in subjects.missing { Progress.say(sentence) }
        guard !subjects.found.isEmpty else { throw BenchError("nothing to measure: no subject is installed") }
        var report = Report(
            machine: Machine(directory: workspace.path, roostd: roostd), effort: plan.effort, missing: subjects.missing)
        if only.isEmpty, workload.isEmpty { report.leftOut = Self.leftOut }
        var campaign = Campaign(plan: plan, subjects: subjects.found, workspace: workspace)
        try campaign.run(&report)
        return report
    }

    private static let leftOut = [
        "YCSB E: needs scans, which Roost does not have",
        "stale reads: Roost has none, every read is linearizable; with lease_reads, under an assumption about clocks",
        "etcd under mixtures, pipelines and open loops: h2load repeats one request and times it from its sending",
        "syncs per operation of Redis and RocksDB: not read here",
    ]
}

/// Values with commas between.
struct CommaList<Value: ExpressibleByArgument & Sendable>: ExpressibleByArgument, Sendable {
    let values: [Value]

    init?(argument: String) {
        let parts = argument.split(separator: ",").map { Value(argument: String($0)) }
        guard !parts.isEmpty, parts.allSatisfy({ $0 != nil }) else { return nil }
        values = parts.compactMap(\.self)
    }

    static var allValueStrings: [String] { Value.allValueStrings }
}
