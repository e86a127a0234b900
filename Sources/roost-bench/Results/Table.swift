import Foundation

extension Report {
    private static let nameWidth = 42

    /// What is printed at the end: conditions, one block per workload, every command.
    var table: String {
        var lines = [
            machine.summary,
            "\(Plan.valueBytes)-byte values, load on the same machine, \(basis)",
        ]
        if ProcessInfo.processInfo.processorCount < 4 {
            lines.append("servers and load share few cores: compare ratios")
        }
        for workload in workloads { lines += ["", Self.heading(workload)] + figures(workload).map(Self.row) }
        if !failureLines.isEmpty { lines += ["", "failed"] + failureLines.map { "  \($0)" } }
        if !missing.isEmpty { lines += ["", "missing"] + missing.map { "  \($0)" } }
        lines += ["", "commands of the first round; ports and folders differ from round to round"] + commandLines
        return lines.joined(separator: "\n")
    }

    private var basis: String { rounds == 1 ? "one round" : "medians of \(rounds) rounds" }

    /// Each command once: one line of redis-benchmark makes a row of writes and one of reads.
    private var commandLines: [String] {
        var seen: Set<String> = []
        return workloads.flatMap(figures).filter { seen.insert($0.command).inserted }.map {
            "  \($0.subject), \($0.workload.name):\n    \($0.command)"
        }
    }

    private static func heading(_ workload: Workload) -> String {
        pad(workload.name, nameWidth) + right("ops/s", 10) + right("lowest", 10) + right("highest", 10)
            + right("p50 ms", 9)
            + right("p99 ms", 9) + (workload.kind == .write ? right("x raw", 8) : "")
    }

    private static func row(_ figure: Figure) -> String {
        pad("  " + figure.subject, nameWidth) + right(whole(figure.perSecond), 10) + right(whole(figure.lowest), 10)
            + right(whole(figure.highest), 10) + right(decimals(figure.p50Milliseconds, 3), 9)
            + right(decimals(figure.p99Milliseconds, 3), 9)
            + (figure.ratioToRawRocksDB.map { right(decimals($0, 2), 8) } ?? "")
    }

    private static func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }

    private static func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(1, width - text.count)) + text
    }

    private static func decimals(_ value: Double, _ count: Int) -> String { String(format: "%.\(count)f", value) }

    /// With a comma between thousands.
    private static func whole(_ value: Double) -> String {
        var text = ""
        for (index, digit) in String(Int(value.rounded())).reversed().enumerated() {
            if index > 0, index.isMultiple(of: 3) { text.append(",") }
            text.append(digit)
        }
        return String(text.reversed())
    }
}
