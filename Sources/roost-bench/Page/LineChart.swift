import Foundation

/// Lines over two axes, each plain or logarithmic.
struct LineChart {
    struct Line {
        var label: String
        var color: String
        var dash = ""
        var points: [(x: Double, y: Double)]
    }

    struct Axis {
        var range: ClosedRange<Double>
        var isLogarithmic = false
        var ticks: [(value: Double, label: String)]
        var title: String

        /// 0 at the lower end, 1 at the upper one.
        func position(_ value: Double) -> Double {
            let (low, high) = (range.lowerBound, range.upperBound)
            let share =
                isLogarithmic ? log(max(value, low) / low) / log(high / low) : (value - low) / (high - low)
            return min(1, max(0, share))
        }

        /// 1, 2 and 5 of each decade between.
        static func logarithmic(_ range: ClosedRange<Double>, _ title: String, _ label: (Double) -> String) -> Axis {
            var ticks: [(value: Double, label: String)] = []
            let decades = Int(log10(range.lowerBound).rounded(.down))...Int(log10(range.upperBound).rounded(.up))
            for decade in decades {
                for step in decades.count > 4 ? [1.0] : [1.0, 2, 5] {
                    let value = step * pow(10, Double(decade))
                    if range.contains(value) { ticks.append((value, label(value))) }
                }
            }
            return Axis(range: range, isLogarithmic: true, ticks: ticks, title: title)
        }

        /// About five round numbers from 0 on.
        static func linear(upTo most: Double, _ title: String, _ label: (Double) -> String) -> Axis {
            let rough = max(most, .leastNormalMagnitude) / 4
            let decade = pow(10, log10(rough).rounded(.down))
            let step = [1, 2, 2.5, 5, 10].map { $0 * decade }.first { $0 >= rough } ?? rough
            let top = (most / step).rounded(.up) * step
            let ticks = stride(from: 0, through: top * 1.001, by: step).map { (value: $0, label: label($0)) }
            return Axis(range: 0...max(top, .leastNormalMagnitude), ticks: ticks, title: title)
        }
    }

    private static let (width, height) = (620.0, 290.0)
    private static let (left, right, top, bottom) = (58.0, 14.0, 18.0, 40.0)
    private static let maxDots = 16

    let lines: [Line]
    let x: Axis
    let y: Axis

    var svg: String {
        let parts = grid + lines.map(path) + titles
        return "<svg viewBox=\"0 0 \(number(Self.width)) \(number(Self.height))\" role=\"img\">\(parts.joined())</svg>"
            + "<div class=\"legend\">\(lines.map(legend).joined())</div>"
    }

    private func legend(_ line: Line) -> String {
        // A dashed swatch says the same as a dashed line.
        let style =
            line.dash.isEmpty
            ? "background:\(line.color)"
            : "background:repeating-linear-gradient(90deg,\(line.color) 0 5px,transparent 5px 8px)"
        return "<span><i style=\"\(style)\"></i>\(escaped(line.label))</span>"
    }

    private func place(_ point: (x: Double, y: Double)) -> (x: Double, y: Double) {
        let (across, down) = (Self.width - Self.left - Self.right, Self.height - Self.top - Self.bottom)
        return (Self.left + x.position(point.x) * across, Self.top + (1 - y.position(point.y)) * down)
    }

    private var grid: [String] {
        let (floor, edge) = (Self.height - Self.bottom, Self.width - Self.right)
        let across = y.ticks.map { tick -> String in
            let height = place((x.range.lowerBound, tick.value)).y
            return "<path class=\"rule\" d=\"M\(number(Self.left)) \(number(height))H\(number(edge))\"/>"
                + "<text class=\"s v\" x=\"\(number(Self.left - 8))\" y=\"\(number(height + 4))\" text-anchor=\"end\">\(escaped(tick.label))</text>"
        }
        let down = x.ticks.map { tick -> String in
            let across = place((tick.value, y.range.lowerBound)).x
            return "<path class=\"rule\" d=\"M\(number(across)) \(number(Self.top))V\(number(floor))\"/>"
                + "<text class=\"s v\" x=\"\(number(across))\" y=\"\(number(floor + 17))\" text-anchor=\"middle\">\(escaped(tick.label))</text>"
        }
        return across + down
    }

    private var titles: [String] {
        [
            "<text class=\"s\" x=\"\(number(Self.width - Self.right))\" y=\"\(number(Self.height - 4))\" text-anchor=\"end\">\(escaped(x.title))</text>",
            "<text class=\"s\" x=\"0\" y=\"10\">\(escaped(y.title))</text>",
        ]
    }

    private func path(_ line: Line) -> String {
        let places = line.points.map(place)
        guard !places.isEmpty else { return "" }
        let steps = places.map { "\(number($0.x)) \(number($0.y))" }
        // A few measured points are shown as such; many are a curve.
        let dots =
            places.count > Self.maxDots
            ? []
            : places.map { "<circle cx=\"\(number($0.x))\" cy=\"\(number($0.y))\" r=\"3\" fill=\"\(line.color)\"/>" }
        return
            "<path d=\"M\(steps.joined(separator: "L"))\" fill=\"none\" stroke=\"\(line.color)\" stroke-width=\"2.2\" "
            + "stroke-linejoin=\"round\"\(line.dash)><title>\(escaped(line.label))</title></path>\(dots.joined())"
    }
}
