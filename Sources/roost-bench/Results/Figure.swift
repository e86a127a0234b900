/// The medians of one subject under one workload.
struct Figure: Encodable, Sendable {
    let subject: SubjectKind
    let title: String
    let workload: Workload
    let perSecond: Double
    /// The slowest and the fastest round: what is closer together than these is noise.
    let lowest: Double
    let highest: Double
    let latency: LatencySummary
    let readLatency: LatencySummary?
    let writeLatency: LatencySummary?
    let cost: Cost
    let unsent: Int
    let generatorMicrosecondsPerOperation: Double?
    let rounds: Int
    /// Answered in the shortest of the rounds.
    let operations: Int
    /// What repeats the figure, one round of it.
    let command: String

    /// - Precondition: there is at least one measurement.
    init(_ subject: SubjectKind, _ workload: Workload, _ measurements: [Measurement]) {
        let rates = measurements.map(\.perSecond)
        self.subject = subject
        title = subject.title
        self.workload = workload
        perSecond = median(rates) ?? 0
        lowest = rates.min() ?? 0
        highest = rates.max() ?? 0
        latency = LatencySummary.median(of: measurements.map(\.latency)) ?? measurements[0].latency
        readLatency = LatencySummary.median(of: measurements.compactMap(\.readLatency))
        writeLatency = LatencySummary.median(of: measurements.compactMap(\.writeLatency))
        cost = Cost.median(of: measurements.map(\.cost))
        unsent = measurements.map(\.unsent).max() ?? 0
        generatorMicrosecondsPerOperation = median(measurements.compactMap(\.generatorMicrosecondsPerOperation))
        rounds = measurements.count
        operations = measurements.map(\.operations).min() ?? 0
        command = shellLine(measurements[0].command)
    }

    /// How many times the other's rate this is.
    func ratio(to other: Figure?) -> Double? {
        guard let other, other.perSecond > 0 else { return nil }
        return perSecond / other.perSecond
    }
}

/// As one types it.
func shellLine(_ words: [String]) -> String {
    words.map { $0.contains(" ") || $0.isEmpty ? "'\($0)'" : $0 }.joined(separator: " ")
}
