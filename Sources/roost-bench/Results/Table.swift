import Foundation

/// The report for a terminal.
enum Table {
    private static let nameWidth = 42

    /// What is printed at the end: conditions, one block per workload, targets, every command.
    static func text(_ report: Report) -> String {
        var lines = [report.machine.summary] + report.conditions
        for workload in report.workloads {
            let figures = report.figures(workload)
            guard !figures.isEmpty else { continue }
            lines += ["", heading(workload)] + figures.map(row)
        }
        let targets = Targets.check(report)
        if !targets.isEmpty { lines += ["", "targets"] + targets.map(targetLine) }
        if !report.failureLines.isEmpty { lines += ["", "failed"] + report.failureLines.map { "  \($0)" } }
        if !report.missing.isEmpty { lines += ["", "missing"] + report.missing.map { "  \($0)" } }
        if !report.leftOut.isEmpty { lines += ["", "left out"] + report.leftOut.map { "  \($0)" } }
        lines += ["", "commands"] + commandLines(report)
        return lines.joined(separator: "\n")
    }

    private static func commandLines(_ report: Report) -> [String] {
        var seen: Set<String> = []
        return report.allFigures.filter { seen.insert($0.command).inserted }.map { "  \($0.command)" }
    }

    private static func targetLine(_ outcome: Targets.Outcome) -> String {
        let bound = outcome.isLowerBetter ? "<=" : ">="
        return pad("  \(outcome.name)", 72) + right(number(outcome.value, outcome.unit), 14)
            + right("\(bound) \(number(outcome.target, outcome.unit))", 16) + "  \(outcome.difference)"
    }

    static func number(_ value: Double, _ unit: String) -> String {
        unit == "/s"
            ? "\(thousands(Int(value.rounded())))/s"
            : unit == "x" ? "\(decimals(value, 2)) x" : "\(decimals(value, 1)) \(unit)"
    }

    private static func heading(_ workload: Workload) -> String {
        let columns = [
            ("ops/s", 10), ("lowest", 10), ("highest", 10), ("p50 ms", 9), ("p99 ms", 9), ("p99.9 ms", 9),
            ("CPU us", 8), ("RSS MB", 8), ("disk B", 8), ("syncs", 8),
        ]
        return workload.name + "\n" + pad("", nameWidth) + columns.map { right($0.0, $0.1) }.joined()
    }

    private static func row(_ figure: Figure) -> String {
        let (latency, cost) = (figure.latency, figure.cost)
        let late = figure.unsent > 0 ? "  \(thousands(figure.unsent)) could not be sent" : ""
        return pad("  " + figure.title, nameWidth) + right(whole(figure.perSecond), 10)
            + right(whole(figure.lowest), 10) + right(whole(figure.highest), 10) + right(decimals(latency.p50, 3), 9)
            + right(decimals(latency.p99, 3), 9) + right(decimals(latency.p999, 3), 9)
            + right(cost.processorMicrosecondsPerOperation.map { decimals($0, 1) } ?? "-", 8)
            + right(cost.residentBytes.map { whole(Double($0) / 1e6) } ?? "-", 8)
            + right(cost.writtenBytesPerOperation.map(whole) ?? "-", 8)
            + right(cost.syncsPerOperation.map { decimals($0, 3) } ?? "-", 8) + late
    }

    private static func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }

    private static func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(1, width - text.count)) + text
    }

    static func decimals(_ value: Double, _ count: Int) -> String { String(format: "%.\(count)f", value) }
    static func whole(_ value: Double) -> String { thousands(Int(value.rounded())) }
}
