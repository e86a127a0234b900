/// Horizontal bars of one workload's subjects; the thin line goes from the slowest to the fastest round.
struct BarChart {
    struct Bar {
        var label: String
        var color: String
        var value: Double
        /// What stands behind the bar.
        var text: String
        var range: ClosedRange<Double>?
        /// A remark behind it, and whether it is good news.
        var remark: (text: String, isGood: Bool)?
    }

    private static let (width, rowHeight, left, right) = (620.0, 27.0, 204.0, 148.0)
    let bars: [Bar]

    var svg: String {
        let most = max(bars.map { max($0.value, $0.range?.upperBound ?? 0) }.max() ?? 0, .leastNormalMagnitude)
        let height = Double(bars.count) * Self.rowHeight + 4
        let rows = bars.enumerated().map { row($0.element, y: Double($0.offset) * Self.rowHeight, most) }
        return """
            <svg viewBox="0 0 \(number(Self.width)) \(number(height))" role="img">\(rows.joined())</svg>
            """
    }

    private func row(_ bar: Bar, y: Double, _ most: Double) -> String {
        let room = Self.width - Self.left - Self.right
        func x(_ value: Double) -> Double { Self.left + value / most * room }
        let end = x(max(bar.value, bar.range?.upperBound ?? 0))
        var parts = [
            "<title>\(escaped(bar.label)): \(escaped(bar.text))</title>",
            text(bar.label, Self.left - 10, y + 18, "s", anchor: "end"),
            "<rect class=\"track\" x=\"\(number(Self.left))\" y=\"\(number(y + 5))\" width=\"\(number(room))\" height=\"17\" rx=\"3\"/>",
            "<rect fill=\"\(bar.color)\" x=\"\(number(Self.left))\" y=\"\(number(y + 5))\" "
                + "width=\"\(number(max(2, x(bar.value) - Self.left)))\" height=\"17\" rx=\"3\"/>",
        ]
        if let range = bar.range, x(range.upperBound) - x(range.lowerBound) > 1 {
            parts.append(
                "<path class=\"whisker\" d=\"M\(number(x(range.lowerBound))) \(number(y + 13.5))H\(number(x(range.upperBound)))\"/>"
            )
        }
        parts.append(text(bar.text, max(end, Self.left) + 8, y + 18, "v b"))
        if let remark = bar.remark {
            parts.append(text(remark.text, Self.width, y + 18, "v \(remark.isGood ? "good" : "bad")", anchor: "end"))
        }
        return "<g>\(parts.joined())</g>"
    }

    private func text(_ words: String, _ x: Double, _ y: Double, _ style: String, anchor: String = "start") -> String {
        "<text class=\"\(style)\" x=\"\(number(x))\" y=\"\(number(y))\" text-anchor=\"\(anchor)\">\(escaped(words))</text>"
    }
}

/// A coordinate with one decimal.
func number(_ value: Double) -> String { Table.decimals(value, 1) }
