/// A bound on what further unknown operations can make of a value, to see early that a run of them leads nowhere.
///
/// It errs on the side of "may": what it excludes is impossible.
struct Reach: Sendable {
    private let start: State
    /// The sums of all falling and of all rising increments.
    private var fall: Int64 = 0
    private var rise: Int64 = 0
    private(set) var hasIncrements = false
    private var hasAppends = false
    /// What unknown compare-and-sets wait for. One that held would lead anywhere: reaching it counts as a use.
    private var swaps: [State] = []

    init(from start: State) { self.start = start }

    /// One more operation that may take part.
    mutating func add(_ step: Step) {
        switch step {
        case .add(let delta):
            hasIncrements = true
            if delta < 0 { fall = Self.clampedSum(fall, delta) } else { rise = Self.clampedSum(rise, delta) }
        case .append: hasAppends = true
        case .swap(let old, _): swaps.append(old)
        case .read, .readOther, .readText, .readOverflow, .write, .remove, .count, .never: break
        }
    }

    /// The numbers from which the increments may lead to `number`.
    func origins(of number: Int64) -> ClosedRange<Int64> {
        let (least, underflowed) = number.subtractingReportingOverflow(rise)
        let (most, overflowed) = number.subtractingReportingOverflow(fall)
        return (underflowed ? .min : least)...(overflowed ? .max : most)
    }

    /// Whether the operations may lead to a value that one of themselves, a compare-and-set, waits for.
    func mayReachSwap(_ states: borrowing States) -> Bool { swaps.contains { mayReach($0, states) } }

    /// Whether they may lead to a value that `step` fits.
    func mayFit(_ step: Step, _ states: borrowing States) -> Bool {
        switch step {
        case .read(let value), .swap(let value, _), .count(let value, _, _): mayReach(value, states)
        case .append(let suffix, let length?):
            hasIncrements || (hasAppends && states.length(of: start) <= length - suffix.count)
        case .readOther, .readText, .readOverflow, .remove, .append(_, nil), .add: hasIncrements || hasAppends
        case .write, .never: false
        }
    }

    private func mayReach(_ value: State, _ states: borrowing States) -> Bool {
        if value == start { return true }
        switch (hasIncrements, hasAppends) {
        case (false, false): return false
        case (true, true): return true
        case (false, true): return states.isPrefix(start, of: value)
        case (true, false):
            guard let from = states.integer(start), let to = states.integer(value) else { return false }
            return origins(of: to).contains(from)
        }
    }

    /// At the edge of the numbers the bound stays there: all sums lie between.
    private static func clampedSum(_ a: Int64, _ b: Int64) -> Int64 {
        let (sum, overflowed) = a.addingReportingOverflow(b)
        return overflowed ? (b < 0 ? .min : .max) : sum
    }
}
