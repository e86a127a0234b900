/// Finds few replies that contradict each other, no matter when the other operations took effect, if they did.
///
/// An operation is weakened by letting it take effect at any time after its call, or never: that only allows more. So the replies that can't be
/// weakened without making the history explainable are the reason, and weakening is tried from the oldest on, many at
/// once, by bisection. Checks that come to no verdict count as explainable: then the core is larger, never wrong.
struct Core {
    /// Configurations that all checks together may try.
    private static let configurationLimit = 500_000
    /// Those that one may try.
    private static let checkLimit = 100_000

    private let operations: [Operation]
    /// Called before the culprit returned: nothing later takes part in the contradiction.
    private let called: [Int]
    /// Returned by then, with a reply, in the order of returns. What was still open need not have taken effect yet.
    private let candidates: [Int]
    private let initial: Register.Value?
    private var configurationsLeft = Self.configurationLimit

    /// Indices of the operations whose replies contradict each other, the culprit among them; `nil` if not found in time.
    static func find(_ violation: Violation, _ operations: [Operation]) -> [Int]? {
        var core = Core(violation, operations)
        return core.find(culprit: violation.culprit)
    }

    private init(_ violation: Violation, _ operations: [Operation]) {
        let end = operations[violation.culprit].returned
        called = operations.indices.filter { operations[$0].invoked <= end }
        candidates = called.filter {
            operations[$0].reply != nil && operations[$0].returned <= end && $0 != violation.culprit
        }.sorted { (operations[$0].returned, $0) < (operations[$1].returned, $1) }
        (self.operations, initial) = (operations, violation.initial)
    }

    private mutating func find(culprit: Int) -> [Int]? {
        // Replies that name no value make checks slow and are seldom needed.
        let exact = candidates.filter { operations[$0].shownValue != nil || Finding(operations[$0]) != .other }
        return find(culprit, among: exact) ?? (exact.count < candidates.count ? find(culprit, among: candidates) : nil)
    }

    private mutating func find(_ culprit: Int, among candidates: [Int]) -> [Int]? {
        var rest = candidates[...]
        var core = [culprit]
        while !isContradiction(core) {
            guard let possible = mostThatCanBeWeakened(rest, keeping: core) else { return nil }
            core.append(rest[rest.startIndex + possible])
            rest = rest.dropFirst(possible + 1)
        }
        return core
    }

    /// How many of the oldest can be weakened; the next one can't, so it belongs to the core. `nil` if there is no
    /// contradiction with all of them, or when time is up.
    private mutating func mostThatCanBeWeakened(_ rest: ArraySlice<Int>, keeping core: [Int]) -> Int? {
        // From the youngest on, twice as many each time: few replies are checked quickly.
        var kept = 1
        while !isContradiction(core + rest.suffix(kept)) {
            guard kept < rest.count, configurationsLeft > 0 else { return nil }
            kept *= 2
        }
        var (possible, impossible) = (max(rest.count - kept, 0), rest.count - kept / 2)
        while impossible - possible > 1 {
            let middle = (possible + impossible) / 2
            if isContradiction(core + rest.dropFirst(middle)) { possible = middle } else { impossible = middle }
        }
        return configurationsLeft > 0 ? possible : nil
    }

    /// Whether the replies of `core` alone make the history inexplicable.
    private mutating func isContradiction(_ core: [Int]) -> Bool {
        guard configurationsLeft > 0 else { return false }
        var isKept = [Bool](repeating: false, count: operations.count)
        for index in core { isKept[index] = true }
        let weakened = called.map { isKept[$0] ? operations[$0] : Self.weakened(operations[$0]) }
        let checker = LinearizabilityChecker(configurationLimit: min(configurationsLeft, Self.checkLimit))
        switch checker.check(weakened, initial: initial) {
        case .linearizable:
            // Found without trying everything: as cheap as its history is long.
            configurationsLeft -= weakened.count / 10 + 1
            return false
        case .notLinearizable(let violation):
            configurationsLeft -= violation.configurations + weakened.count / 10 + 1
            return true
        case .undecided(let configurations):
            configurationsLeft -= configurations
            return false
        }
    }

    /// The operation with less said about it: it may take effect later than it did, or never.
    private static func weakened(_ operation: Operation) -> Operation {
        guard let reply = operation.reply else { return operation }
        var weakened = operation
        weakened.outcome = reply.saysUnchanged ? .notApplied : .unknown
        // An increment keeps its numbers, so that no sums have to be tried. From 0 it may have found nothing too.
        if case .oneOf(let found) = Finding(operation), found.count == 1, case .number(let sum) = reply {
            weakened.call = .compareAndSet(expected: found[0], new: Register.Value(sum))
        }
        return weakened
    }
}
