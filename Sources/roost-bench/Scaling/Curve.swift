/// Throughput over one axis, for some subjects.
struct Curve: Encodable, Sendable {
    struct Point: Encodable, Sendable {
        var at: Double
        var perSecond: Double
        var p50: Double?
        var p99: Double?
        var processorMicrosecondsPerOperation: Double?
        var residentBytes: Int?
        var syncsPerOperation: Double?
        var command: String?

        init(at place: Double, perSecond: Double) { (at, self.perSecond) = (place, perSecond) }

        init(at place: Double, _ measurement: Measurement) {
            (at, perSecond) = (place, measurement.perSecond)
            (p50, p99) = (measurement.latency.p50, measurement.latency.p99)
            processorMicrosecondsPerOperation = measurement.cost.processorMicrosecondsPerOperation
            residentBytes = measurement.cost.residentBytes
            syncsPerOperation = measurement.cost.syncsPerOperation
            command = shellLine(measurement.command)
        }
    }

    struct Line: Encodable, Sendable {
        var subject: SubjectKind
        var traffic: Traffic
        var points: [Point]
        /// Of a line over time: the run as a whole.
        var whole: Measurement?

        var title: String { "\(subject.title), \(traffic.title)" }
    }

    var name: String
    var axis: String
    var lines: [Line]
    /// Places without a figure, and why.
    var missing: [String] = []

    var table: String {
        lines.map { line in
            let head = "\(line.title), by \(axis)"
            if let whole = line.whole { return head + "\n" + Self.timeText(line, whole) }
            return ([head] + line.points.map(Self.row)).joined(separator: "\n")
        }.joined(separator: "\n")
    }

    private static func row(_ point: Point) -> String {
        func text(_ value: Double?, _ decimals: Int) -> String { value.map { Table.decimals($0, decimals) } ?? "-" }
        return "  "
            + [
                thousands(Int(point.at)), "\(Table.whole(point.perSecond))/s", "p50 \(text(point.p50, 3)) ms",
                "p99 \(text(point.p99, 3)) ms", "CPU \(text(point.processorMicrosecondsPerOperation, 1)) us",
                "RSS \(point.residentBytes.map { Table.whole(Double($0) / 1e6) } ?? "-") MB",
                "syncs \(text(point.syncsPerOperation, 3))",
            ].joined(separator: "  ")
    }

    /// Minutes, and what stands out.
    private static func timeText(_ line: Line, _ whole: Measurement) -> String {
        let rates = line.points.map(\.perSecond)
        let minutes = stride(from: 0, to: rates.count, by: 60).map { start -> String in
            let part = rates[start..<min(start + 60, rates.count)]
            return Table.whole(part.reduce(0, +) / Double(part.count))
        }
        let cost = whole.cost
        return "  mean \(Table.whole(whole.perSecond))/s, slowest second \(Table.whole(rates.min() ?? 0)), fastest "
            + "\(Table.whole(rates.max() ?? 0)), p99 \(Table.decimals(whole.latency.p99, 1)) ms, longest "
            + "\(Table.decimals(whole.latency.longest, 1)) ms, disk "
            + "\(cost.writtenBytesPerOperation.map(Table.whole) ?? "-") B per write, RSS "
            + "\(cost.residentBytes.map { Table.whole(Double($0) / 1e6) } ?? "-") MB\n  minute by minute: "
            + minutes.joined(separator: "  ")
    }
}
