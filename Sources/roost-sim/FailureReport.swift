import Glibc
import Simulator

/// What a person needs to go on from a failure.
struct FailureReport {
    let report: Simulation.Report
    let limits: SwarmOptions.Limits

    func print(lines: Bool) {
        guard let violation = report.violation else { return }
        if lines { for line in report.lines { Swift.print("    \(line)") } }
        Swift.print(
            """
            FAILED \(violation)
            seed \(report.options.seed), after \(report.events) events, at \(decimal(report.simulatedSeconds, 6)) s
            options \(report.options)
            \(pictureLine)replay: \(ReplayCommand(report.options, limits).text) --verbose
            """)
    }
}

extension FailureReport {
    /// Writes the picture of an impossible history beside the caller, and says where.
    private var pictureLine: String {
        guard let picture = report.picture else { return "" }
        let path = "roost-sim-\(report.options.seed).html"
        guard let file = fopen(path, "w") else { return "" }
        fputs(picture, file)
        fclose(file)
        return "picture: \(path)\n"
    }

    /// Looks for a smaller run and tells it.
    func shrunk() -> FailureReport {
        var shrinker = Shrinker(report, limits) { Swift.print("shrink: \($0)") }
        shrinker.shrink()
        Swift.print("shrunk in \(shrinker.runs) runs:")
        return FailureReport(report: shrinker.report, limits: shrinker.limits)
    }
}

/// The one command that repeats a run.
struct ReplayCommand {
    let text: String

    init(_ options: SwarmOptions, _ limits: SwarmOptions.Limits) {
        var words = ["roost-sim --seed \(options.seed) --events \(options.events)"]
        if let nodes = limits.nodes { words.append("--nodes \(nodes)") }
        if let clients = limits.clients { words.append("--clients \(clients)") }
        if limits.faults != .all { words.append("--only \(limits.faults)") }
        if limits.withoutPreVote { words.append("--no-prevote") }
        text = words.joined(separator: " ")
    }
}
