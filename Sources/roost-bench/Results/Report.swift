import Foundation

/// All samples of a run, and what they come to.
struct Report {
    let machine: Machine
    let effort: Effort
    var missing: [String]
    /// Workloads that nobody carries, in words.
    var leftOut: [String] = []
    var rounds = 0
    private var samples: [Sample] = []

    init(machine: Machine, effort: Effort, missing: [String]) {
        (self.machine, self.effort, self.missing) = (machine, effort, missing)
    }

    mutating func add(_ sample: Sample) { samples.append(sample) }

    var failures: Int { failureLines.count }

    /// In the order of the plan.
    var workloads: [Workload] {
        var seen: Set<Workload> = []
        return samples.compactMap(\.workload).filter { seen.insert($0).inserted }
    }

    /// Subject by subject in their order.
    func figures(_ workload: Workload) -> [Figure] {
        SubjectKind.allCases.compactMap { figure($0, workload) }
    }

    func figure(_ subject: SubjectKind, _ workload: Workload) -> Figure? {
        let measured = samples.compactMap { sample -> Measurement? in
            guard sample.subject == subject, sample.workload == workload else { return nil }
            if case .measured(let measurement) = sample.result { return measurement }
            return nil
        }
        return measured.isEmpty ? nil : Figure(subject, workload, measured)
    }

    var allFigures: [Figure] { workloads.flatMap(figures) }

    var failureLines: [String] {
        samples.compactMap { sample in
            guard case .failure(let reason) = sample.result else { return nil }
            return "\(sample.subject.title)\(sample.workload.map { ", \($0.name)" } ?? ""): \(reason)"
        }
    }

    var conditions: [String] {
        var lines = [
            "\(rounds == 1 ? "one round" : "medians of \(rounds) rounds"), each subject in turn; \(effort.seconds) s "
                + "per figure after \(effort.warmup) s of warm-up; servers and load on the same machine",
            "\(thousands(effort.records)) keys (of values above 1 KiB at most \(Effort.maxRecordBytes >> 20) MiB); every write is "
                + "synced to the disk before it is answered",
        ]
        if ProcessInfo.processInfo.activeProcessorCount < 4 {
            lines.append("servers and load share few cores: compare ratios within the run")
        }
        return lines
    }

    func writeJSON(to path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let document = Document(
            machine: machine, rounds: rounds, effort: effort, percentiles: LatencySummary.percentiles,
            figures: allFigures, targets: Targets.check(self), missing: missing, leftOut: leftOut,
            failures: failureLines)
        try encoder.encode(document).write(to: URL(fileURLWithPath: path))
    }

    private struct Document: Encodable {
        var machine: Machine
        var rounds: Int
        var effort: Effort
        /// Those of every `curve`.
        var percentiles: [Double]
        var figures: [Figure]
        var targets: [Targets.Outcome]
        var missing: [String]
        var leftOut: [String]
        var failures: [String]
    }
}
