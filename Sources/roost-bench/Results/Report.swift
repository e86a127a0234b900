import Foundation

/// All samples of a run, and what they come to.
struct Report {
    let machine: Machine
    let plan: Plan
    var missing: [String]
    var rounds = 0
    private var samples: [Sample] = []

    init(machine: Machine, plan: Plan, missing: [String]) {
        (self.machine, self.plan, self.missing) = (machine, plan, missing)
    }

    mutating func add(_ new: [Sample]) {
        for case .failure(let reason) in new.map(\.result) { Progress.say("failed: \(reason)") }
        samples += new
    }

    var failures: Int { samples.count { if case .failure = $0.result { true } else { false } } }

    /// Subject by subject in the order measured.
    func figures(_ workload: Workload) -> [Figure] {
        var order: [String] = []
        var measured: [String: [Measurement]] = [:]
        for sample in samples where sample.workload == workload {
            guard case .measured(let measurement) = sample.result else { continue }
            if measured[sample.subject] == nil { order.append(sample.subject) }
            measured[sample.subject, default: []].append(measurement)
        }
        return order.map { Figure(subject: $0, workload: workload, measured[$0] ?? [], raw: rawRate(workload)) }
    }

    var workloads: [Workload] { Set(samples.compactMap(\.workload)).sorted() }

    var failureLines: [String] {
        samples.compactMap { sample in
            guard case .failure(let reason) = sample.result else { return nil }
            return "\(sample.subject)\(sample.workload.map { ", \($0.name)" } ?? ""): \(reason)"
        }
    }

    /// The yardstick of a row of writes: one thread for one in flight, 64 threads for more. Reads have none.
    private func rawRate(_ workload: Workload) -> Double? {
        guard workload.kind == .write else { return nil }
        let yardstick = Workload(kind: .write, clients: workload.clients == 1 ? 1 : 64)
        return median(
            samples.compactMap { sample in
                guard sample.subject == RawRocksDB.title, sample.workload == yardstick else { return nil }
                if case .measured(let measurement) = sample.result { return measurement.perSecond }
                return nil
            })
    }

    func writeJSON(to path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let document = Document(
            machine: machine, rounds: rounds, valueBytes: Plan.valueBytes, figures: workloads.flatMap(figures),
            missing: missing, failures: failureLines)
        try encoder.encode(document).write(to: URL(fileURLWithPath: path))
    }

    private struct Document: Encodable {
        var machine: Machine
        var rounds: Int
        var valueBytes: Int
        var figures: [Figure]
        var missing: [String]
        var failures: [String]
    }
}

/// The medians of one subject under one workload.
struct Figure: Encodable {
    let subject: String
    let workload: Workload
    let perSecond: Double
    /// The slowest and the fastest round: what is closer together than these is noise.
    let lowest: Double
    let highest: Double
    let p50Milliseconds: Double
    let p99Milliseconds: Double
    /// Of raw RocksDB's rate with as many threads as there are requests in flight, 64 at most.
    let ratioToRawRocksDB: Double?
    let rounds: Int
    let command: String

    /// - Precondition: there is at least one measurement.
    init(subject: String, workload: Workload, _ measurements: [Measurement], raw: Double?) {
        let rates = measurements.map(\.perSecond)
        let rate = median(rates) ?? 0
        self.subject = subject
        self.workload = workload
        perSecond = rate
        lowest = rates.min() ?? 0
        highest = rates.max() ?? 0
        p50Milliseconds = median(measurements.map(\.p50Milliseconds)) ?? 0
        p99Milliseconds = median(measurements.map(\.p99Milliseconds)) ?? 0
        ratioToRawRocksDB = raw.map { rate / $0 }
        rounds = measurements.count
        command = measurements[0].command.map { $0.contains(" ") || $0.isEmpty ? "'\($0)'" : $0 }.joined(separator: " ")
    }
}

/// The middle one, or the mean of the two in the middle; `nil` of nothing.
func median(_ values: [Double]) -> Double? {
    guard !values.isEmpty else { return nil }
    let sorted = values.sorted()
    return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
}
