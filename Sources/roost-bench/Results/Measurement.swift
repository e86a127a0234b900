/// The figures of one subject under one workload in one round.
struct Measurement: Codable, Sendable {
    var perSecond: Double
    var operations: Int
    var latency: LatencySummary
    /// Of reads and of writes by themselves, where there are both.
    var readLatency: LatencySummary?
    var writeLatency: LatencySummary?
    var cost: Cost
    /// Operations of an open loop that could not be begun: the server does not keep up with the rate.
    var unsent = 0
    /// Of this program's threads, while they made the load.
    var generatorMicrosecondsPerOperation: Double?
    /// Answered operations in each second of the measurement.
    var timeline: [Int] = []
    /// What repeats the figure.
    var command: [String]

    init(operations: Int, seconds: Double, latency: LatencySummary, cost: Cost, command: [String]) {
        (self.operations, self.latency, self.cost, self.command) = (operations, latency, cost, command)
        perSecond = Double(operations) / seconds
    }

    /// - Throws: `BenchError` when a reply was missing or wrong.
    init(_ tally: LoadTally, seconds: Double, cost: Cost, command: [String]) throws {
        if tally.failureCount > 0 { throw BenchError(tally.failureText) }
        guard tally.operations > 0 else { throw BenchError("no operation was answered in time") }
        self.init(
            operations: tally.operations, seconds: seconds, latency: tally.all.summary, cost: cost, command: command)
        if tally.reads.count > 0, tally.writes.count > 0 {
            (readLatency, writeLatency) = (tally.reads.summary, tally.writes.summary)
        }
        unsent = tally.unsent
        generatorMicrosecondsPerOperation = tally.generatorSeconds * 1e6 / Double(max(1, tally.all.count))
        timeline = Array(tally.perSecond.prefix(Int(seconds)))
    }
}

extension LoadTally {
    /// Every kind of failure with its number, the most frequent first.
    var failureText: String {
        var parts = failures.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.value) x \($0.key)" }
        if unanswered > 0 { parts.append("\(unanswered) requests without a reply after \(Self.drainText)") }
        return parts.joined(separator: "; ")
    }

    private static var drainText: String { "\(LoadPlan.drainLimit.components.seconds) s" }
}

/// What one subject did under one workload in one round.
struct Sample: Sendable {
    enum Result: Sendable {
        case measured(Measurement)
        /// Why there are no figures.
        case failure(String)
    }

    var subject: SubjectKind
    /// `nil`: the subject could not even be started.
    var workload: Workload?
    var result: Result
}
