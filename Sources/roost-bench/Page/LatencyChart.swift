import Foundation

/// Latency over percentiles of one workload: the further right, the rarer the wait.
enum LatencyChart {
    private static let marks: [(Double, String)] = [
        (0, "0"), (1, "90 %"), (2, "99 %"), (3, "99.9 %"), (4, "99.99 %"), (5, "99.999 %"),
    ]

    static func svg(_ figures: [Figure]) -> String {
        let lines = figures.map { figure in
            LineChart.Line(
                label: figure.title, color: Style.color(figure.subject), dash: Style.dash(figure.subject),
                points: points(figure))
        }
        let times = lines.flatMap(\.points).map(\.y)
        let (low, high) = (max(0.005, times.min() ?? 0.01), max(0.02, times.max() ?? 1))
        let far = lines.flatMap(\.points).map(\.x).max() ?? 3
        let x = LineChart.Axis(
            range: 0...max(1, far), ticks: marks.filter { $0.0 <= far + 0.001 }.map { (value: $0.0, label: $0.1) },
            title: "share of operations within the time")
        return LineChart(
            lines: lines, x: x,
            y: .logarithmic(low * 0.9...high * 1.1, "milliseconds") { $0 >= 1 ? "\(Int($0))" : "\($0)" }
        ).svg
    }

    /// Up to the percentile that leaves one operation: further out there is nothing but the longest.
    private static func points(_ figure: Figure) -> [(x: Double, y: Double)] {
        let nines = log10(Double(max(10, figure.operations)))
        return figure.latency.curve.enumerated().compactMap { index, time in
            let position = Double(index) / 10
            return position <= nines ? (x: position, y: max(time, 0.001)) : nil
        }
    }
}
