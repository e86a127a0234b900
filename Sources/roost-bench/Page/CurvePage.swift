/// Curves of throughput and latency as a page that stands by itself.
enum CurvePage {
    static func html(_ machine: Machine, _ curves: [Curve]) -> String {
        let sections = curves.map { curve in
            "<h2>By \(escaped(curve.axis))</h2><div class=\"grid\">\(charts(curve).joined())</div>"
                + "<details><summary>figures</summary><pre>\(escaped(curve.table))</pre></details>"
        }
        return """
            <!doctype html><html lang="en"><head><meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>How Roost scales</title><style>\(Style.css)</style></head><body><main>
            <h1>How Roost scales</h1>\(machine.summary.split(separator: "\n").map { "<p class=\"soft\">\(escaped(String($0)))</p>" }.joined())
            \(sections.joined(separator: "\n"))</main></body></html>
            """
    }

    private static func charts(_ curve: Curve) -> [String] {
        if curve.name == "sustained" {
            return [chart(curve, curve.lines, "Writes in each second", isLogarithmic: false) { $0.perSecond }]
        }
        return [Traffic.write, .read].flatMap { traffic -> [String] in
            let lines = curve.lines.filter { $0.traffic == traffic }
            let name = traffic == .write ? "Durable writes" : "Reads"
            return [
                chart(curve, lines, "\(name) per second", isLogarithmic: true) { $0.perSecond },
                chart(curve, lines, "\(name): p99, milliseconds", isLogarithmic: true) { $0.p99 ?? 0 },
            ]
        }
    }

    private static func chart(
        _ curve: Curve, _ lines: [Curve.Line], _ title: String, isLogarithmic: Bool, _ value: (Curve.Point) -> Double
    ) -> String {
        let drawn = lines.map { line in
            LineChart.Line(
                label: line.subject.title, color: Style.color(line.subject), dash: Style.dash(line.subject),
                points: line.points.map { (x: $0.at, y: value($0)) })
        }
        let places = drawn.flatMap(\.points).map(\.x)
        let most = drawn.flatMap(\.points).map(\.y).max() ?? 1
        let range = (places.min() ?? 0)...max(places.max() ?? 1, (places.min() ?? 0) + 1)
        let x =
            isLogarithmic
            ? LineChart.Axis.logarithmic(max(1, range.lowerBound)...range.upperBound, curve.axis, short)
            : LineChart.Axis.linear(upTo: range.upperBound, curve.axis, short)
        let y = LineChart.Axis.linear(upTo: most, "", short)
        return "<div class=\"card\"><h3>\(escaped(title))</h3>\(LineChart(lines: drawn, x: x, y: y).svg)</div>"
    }

    /// `250k`, `1M`.
    private static func short(_ value: Double) -> String {
        if value >= 1e6 { return "\(trimmed(value / 1e6))M" }
        return value >= 1e3 ? "\(trimmed(value / 1e3))k" : trimmed(value)
    }

    private static func trimmed(_ value: Double) -> String {
        value == value.rounded() ? "\(Int(value))" : Table.decimals(value, value < 1 ? 2 : 1)
    }
}
