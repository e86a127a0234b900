/// Tells which operations of unknown outcome can matter at all, from the whole history: those that lead, perhaps over
/// others of unknown outcome, to a value that some reply asks for.
///
/// Most unknown writes of a long history were never seen by anybody. Without them there is less to try.
struct UnknownFilter: Sendable {
    private let states: States
    /// Unknown operations by the value that they leave, for writes and swaps.
    private var byResult: [State: [Int]] = [:]
    /// The same for numbers, ascending, for as far as unknown increments may lead on from them.
    private var byNumber: [(number: Int64, unknown: Int)] = []
    private let increments: Reach
    private let appendsOccur: Bool

    /// Which of `unknown` to keep; everything if there is a reply that asks for no value in particular.
    static func useful(_ unknown: [Step], for known: [Step], _ states: States) -> [Bool] {
        let all = [Bool](repeating: true, count: unknown.count)
        var wanted: [State] = []
        for step in known {
            switch step {
            case .read(let value), .swap(let value, _): wanted.append(value)
            case .count(let value, let orAbsent, _): wanted += orAbsent ? [value, .absent] : [value]
            case .write, .never: break
            case .readOther, .readText, .readOverflow, .remove, .append, .add: return all
            }
        }
        let filter = UnknownFilter(unknown, states)
        // Numbers that are added to and appended to: there is hardly a value out of reach.
        if filter.increments.hasIncrements, filter.appendsOccur { return all }
        return filter.trace(wanted, unknown)
    }

    private init(_ unknown: [Step], _ states: States) {
        var increments = Reach(from: .absent)
        var appendsOccur = false
        for (index, step) in unknown.enumerated() {
            switch step {
            case .write(let result), .swap(_, let result):
                byResult[result, default: []].append(index)
                if let number = states.integer(result) { byNumber.append((number, index)) }
            case .add: increments.add(step)
            case .append: appendsOccur = true
            case .read, .readOther, .readText, .readOverflow, .remove, .count, .never: break
            }
        }
        byNumber.sort { ($0.number, $0.unknown) < ($1.number, $1.unknown) }
        (self.increments, self.appendsOccur, self.states) = (increments, appendsOccur, states)
    }

    /// Goes back from the wanted values; what a swap waits for is wanted too, once the swap is.
    private func trace(_ wanted: [State], _ unknown: [Step]) -> [Bool] {
        var kept = unknown.map { step in
            switch step {
            case .add, .append: true
            default: false
            }
        }
        var seen = Set(wanted)
        var pending = wanted
        while let value = pending.popLast() {
            for index in leading(to: value) where !kept[index] {
                kept[index] = true
                if case .swap(let old, _) = unknown[index], seen.insert(old).inserted { pending.append(old) }
            }
        }
        return kept
    }

    /// Writes and swaps whose result is the value, or becomes it by unknown increments or appends.
    private func leading(to value: State) -> [Int] {
        var found = byResult[value] ?? []
        if increments.hasIncrements, value != .absent, let number = states.integer(value) {
            let origins = increments.origins(of: number)
            let start = firstIndex(from: origins.lowerBound)
            found += byNumber[start...].prefix { $0.number <= origins.upperBound }.map(\.unknown)
        }
        if appendsOccur, value != .absent {
            for prefix in states.prefixes(of: value) { found += byResult[prefix] ?? [] }
        }
        return found
    }

    private func firstIndex(from number: Int64) -> Int {
        var (low, high) = (0, byNumber.count)
        while low < high {
            let middle = (low + high) / 2
            if byNumber[middle].number < number { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
