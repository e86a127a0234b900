/// From moments to pixels. Time goes from left to right but not evenly: what happens close together is pulled apart, until
/// the bars have room for their labels, and long pauses are cut. The order of events is always true.
struct TimeAxis {
    /// A stretch without any shown event that is drawn much shorter than it was.
    struct Cut {
        var x: Double
        var duration: UInt64
        var hiddenCount: Int
    }

    private static let leastStep = 12.0
    private static let longestStep = 70.0
    private static let usualStep = 24.0
    private static let cutWidth = 64.0
    private static let longestPull = 3.0
    /// Steps that would be this many times longer than the longest are cut.
    private static let cutFactor = 4.0

    /// Ascending, all different.
    private let moments: [UInt64]
    private var steps: [Double]
    private var cutSteps: [(step: Int, hidden: Int)] = []
    private let margin: Double

    /// - Parameters:
    ///   - moments: of all events shown, in any order.
    ///   - hiddenCalls: of operations not shown.
    ///   - margin: room before the first moment.
    init(_ moments: some Sequence<UInt64>, hiddenCalls: [UInt64], margin: Double) {
        let moments = Set(moments).sorted()
        self.moments = moments
        self.margin = margin
        let spans = zip(moments, moments.dropFirst()).map { $1 - $0 }
        let usual = Double(max(spans.sorted().dropFirst(spans.count / 2).first ?? 1, 1))
        steps = []
        var hidden = hiddenCalls[...]
        hidden = hidden.drop { $0 <= moments.first ?? 0 }
        for (index, span) in spans.enumerated() {
            let inside = hidden.prefix { $0 <= moments[index + 1] }.count
            hidden = hidden.dropFirst(inside)
            let width = Double(span) / usual * Self.usualStep
            let isCut = inside > 0 || width > Self.cutFactor * Self.longestStep
            if isCut { cutSteps.append((index, inside)) }
            steps.append(isCut ? Self.cutWidth : min(max(width, Self.leastStep), Self.longestStep))
        }
    }

    var width: Double { margin + steps.reduce(0, +) }

    func x(_ moment: UInt64) -> Double {
        let index = firstIndex(atOrAfter: moment)
        guard index < moments.count else { return width }
        let end = margin + steps[..<index].reduce(0, +)
        guard index > 0, moments[index] != moment else { return end }
        let (before, after) = (moments[index - 1], moments[index])
        return end - Double(after - moment) / Double(after - before) * steps[index - 1]
    }

    /// Makes the stretch at least `width` long, by adding to every step in it alike.
    mutating func makeRoom(_ width: Double, from start: UInt64, to end: UInt64) {
        let inside = firstIndex(atOrAfter: start)..<firstIndex(atOrAfter: end)
        let missing = width - steps[inside].reduce(0, +)
        guard missing > 0, !inside.isEmpty else { return }
        for step in inside { steps[step] += missing / Double(inside.count) }
    }

    /// Pulls everything to at least this width, but not so far that a few operations look lost.
    mutating func fill(_ least: Double) {
        let factor = min(least / max(width, 1), Self.longestPull)
        if factor > 1 { for step in steps.indices { steps[step] *= factor } }
    }

    var cuts: [Cut] {
        cutSteps.map { step, hidden in
            Cut(
                x: margin + steps[..<step].reduce(0, +) + steps[step] / 2,
                duration: moments[step + 1] - moments[step], hiddenCount: hidden)
        }
    }

    /// Moments to be written below the axis, with at least `distance` pixels between them: round ones where there are any,
    /// else those of events.
    func ticks(distance: Double) -> [UInt64] {
        guard let first = moments.first, let last = moments.last else { return [] }
        var ticks: [(moment: UInt64, x: Double)] = []
        for step in Self.roundSteps(for: last - first) {
            for moment in Self.multiples(of: step, in: first...last) {
                let x = x(moment)
                if ticks.allSatisfy({ abs($0.x - x) >= distance }), !isInCut(moment) { ticks.append((moment, x)) }
            }
        }
        return ticks.map(\.moment).sorted()
    }

    private func isInCut(_ moment: UInt64) -> Bool {
        cutSteps.contains { moments[$0.step] < moment && moment < moments[$0.step + 1] }
    }

    /// From coarse to fine, so that the roundest moments are taken first.
    private static func roundSteps(for span: UInt64) -> [UInt64] {
        var steps: [UInt64] = []
        var power: UInt64 = 1
        while power <= max(span, 1), power < 1_000_000_000_000_000_000 {
            steps += [power, 2 * power, 5 * power]
            power *= 10
        }
        // Finer steps than a thousandth of the picture would not be read.
        return steps.filter { $0 <= span && span / $0 < 1_000 }.reversed()
    }

    private static func multiples(of step: UInt64, in range: ClosedRange<UInt64>) -> [UInt64] {
        let first = (range.lowerBound + step - 1) / step * step
        return first > range.upperBound ? [] : Array(stride(from: first, through: range.upperBound, by: Int(step)))
    }

    private func firstIndex(atOrAfter moment: UInt64) -> Int {
        var (low, high) = (0, moments.count)
        while low < high {
            let middle = (low + high) / 2
            if moments[middle] < moment { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
