import Simulator

/// What many runs add up to.
struct Summary: Sendable {
    private(set) var seeds = 0
    private(set) var events = 0
    private(set) var simulatedSeconds = 0.0
    private(set) var operations = 0
    private(set) var entries = 0
    private(set) var statesCompared = 0
    private(set) var undecided = 0
    private(set) var withoutMajority = 0
    private(set) var marks = MarkTable()
    private(set) var failures: [Simulation.Report] = []

    mutating func add(_ report: Simulation.Report) {
        seeds += 1
        events += report.events
        simulatedSeconds += report.simulatedSeconds
        operations += report.operations
        entries += report.entriesCommitted
        statesCompared += report.statesCompared
        if report.hasNoMajority { withoutMajority += 1 }
        undecided += report.undecidedKeys
        marks.merge(report.marks)
        if report.violation != nil { failures.append(report) }
    }

    func figures(after seconds: Double) -> String {
        """
        \(seeds) seeds, \(events) events, \(decimal(simulatedSeconds, 1)) simulated s, \(operations) operations, \
        \(entries) entries committed, \(statesCompared) states compared, \(undecided) keys UNDECIDED, \
        \(withoutMajority) runs without a majority at the end
        \(decimal(seconds, 1)) s: \(decimal(Double(events) / seconds, 0)) events/s, \
        \(decimal(simulatedSeconds / seconds, 0)) simulated s/s; \(failures.count) failed
        """
    }

    /// The last line, for programs that run this one. What could not be judged is never called ok.
    var result: String {
        guard let first = failures.min(by: { $0.options.seed < $1.options.seed }), let violation = first.violation
        else {
            let verdict = undecided > 0 ? "UNDECIDED" : "ok"
            return "result: \(verdict) seeds-run=\(seeds) undecided-keys=\(undecided)"
        }
        return "result: FAILED invariant=\(violation.name) seed=\(first.options.seed) seeds-run=\(seeds)"
    }

    /// A line for each mark.
    var coverage: String {
        Mark.allCases.map { mark in
            let count = "\(marks[mark])"
            return String(repeating: " ", count: max(0, 12 - count.count)) + count + "  " + mark.rawValue
        }.joined(separator: "\n")
    }
}
