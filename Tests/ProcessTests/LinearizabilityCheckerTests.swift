import Testing

@Suite("The linearizability checker") struct LinearizabilityCheckerTests {
    private let checker = LinearizabilityChecker()
    private static let start = ContinuousClock.now

    /// An operation that lasted from one second to another; no result: unknown.
    private static func op(
        _ call: Operation.Call, _ result: Operation.Result?, _ from: Int, _ to: Int
    ) -> Operation {
        Operation(
            call: call, result: result, invoked: start + .seconds(from), returned: start + .seconds(to))
    }

    struct Example: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let history: [Operation]
        init(_ name: String, _ history: [Operation]) { (testDescription, self.history) = (name, history) }
    }

    @Test(arguments: [
        Example("nothing", []),
        Example("one after another", [op(.set(1), .ok, 0, 1), op(.get, .value(1), 2, 3)]),
        Example("a read beside a write sees it", [op(.set(1), .ok, 0, 9), op(.get, .value(1), 2, 3)]),
        Example("a read beside a write does not see it", [op(.set(1), .ok, 0, 9), op(.get, .value(nil), 2, 3)]),
        Example(
            "two writes in either order",
            [op(.set(1), .ok, 0, 9), op(.set(2), .ok, 0, 9), op(.get, .value(1), 10, 11)]
        ),
        Example(
            "an unknown write that took effect late",
            [
                op(.set(1), nil, 0, 1), op(.get, .value(nil), 2, 3), op(.get, .value(1), 4, 5),
            ]),
        Example("an unknown write that never did", [op(.set(1), nil, 0, 1), op(.get, .value(nil), 2, 3)]),
        Example(
            "a swap that held and one that did not",
            [
                op(.set(1), .ok, 0, 1), op(.compareAndSet(old: 1, new: 2), .ok, 2, 3),
                op(.compareAndSet(old: 1, new: 3), .mismatch, 4, 5), op(.get, .value(2), 6, 7),
            ]),
        Example(
            "increments that overlap",
            [
                op(.increment, .count(2), 0, 9), op(.increment, .count(1), 0, 9), op(.get, .value(2), 10, 11),
            ]),
    ])
    func `accepts what one register could have answered`(example: Example) {
        #expect(checker.check(example.history) == .linearizable)
    }

    @Test(arguments: [
        Example("a stale read", [op(.set(1), .ok, 0, 1), op(.get, .value(nil), 2, 3)]),
        Example("a lost write", [op(.set(1), .ok, 0, 1), op(.set(2), .ok, 2, 3), op(.get, .value(1), 4, 5)]),
        Example(
            "a value that goes back",
            [
                op(.set(1), .ok, 0, 9), op(.get, .value(1), 2, 3), op(.get, .value(nil), 4, 5),
            ]),
        Example("a read before its write was called", [op(.get, .value(1), 0, 1), op(.set(1), .ok, 2, 3)]),
        Example("an increment that counted twice", [op(.increment, .count(1), 0, 1), op(.get, .value(2), 2, 3)]),
        Example("two increments with one answer", [op(.increment, .count(1), 0, 9), op(.increment, .count(1), 0, 9)]),
        Example("an unknown increment that counted twice", [op(.increment, nil, 0, 1), op(.get, .value(2), 2, 3)]),
        Example(
            "two swaps of one value",
            [
                op(.set(1), .ok, 0, 1), op(.compareAndSet(old: 1, new: 2), .ok, 2, 9),
                op(.compareAndSet(old: 1, new: 3), .ok, 2, 9),
            ]),
        Example(
            "a swap that should have held",
            [
                op(.set(1), .ok, 0, 1), op(.compareAndSet(old: 1, new: 2), .mismatch, 2, 3),
            ]),
        Example("an unknown write seen before it was called", [op(.get, .value(1), 0, 1), op(.set(1), nil, 2, 3)]),
    ])
    func `rejects what no register could have answered`(example: Example) {
        #expect(checker.check(example.history) == .violated)
    }

    @Test func `agrees with trying every order, on small random histories`() {
        var random = SplitMix64(seed: 7)
        var verdicts: [LinearizabilityChecker.Verdict: Int] = [:]
        for _ in 0..<3_000 {
            let history = Self.randomHistory(&random)
            let expected: LinearizabilityChecker.Verdict = Self.someOrderExplains(history) ? .linearizable : .violated
            #expect(checker.check(history) == expected, "\(history)")
            verdicts[expected, default: 0] += 1
        }
        // Both answers were really asked for.
        #expect(verdicts.count == 2 && verdicts.values.allSatisfy { $0 > 300 }, "\(verdicts)")
    }

    @Test func `says undecided, not fine, at the end of its patience`() {
        let history = (0..<40).map { Self.op(.increment, $0 < 39 ? nil : .count(50), 0, 1) }
        #expect(LinearizabilityChecker(maxSteps: 1_000).check(history) == .undecided)
    }

    private static func randomHistory(_ random: inout SplitMix64) -> [Operation] {
        (0..<Int.random(in: 1...5, using: &random)).map { _ in
            let start = Int.random(in: 0..<6, using: &random)
            let value = Int.random(in: 1...2, using: &random)
            let unknown = Int.random(in: 0..<5, using: &random) == 0
            let (call, result): (Operation.Call, Operation.Result) =
                switch Int.random(in: 0..<6, using: &random) {
                case 0: (.set(value), .ok)
                case 1: (.compareAndSet(old: value, new: 3 - value), Bool.random(using: &random) ? .ok : .mismatch)
                case 2: (.increment, .count(value))
                default: (.get, .value(Int.random(in: 0..<3, using: &random) == 0 ? nil : value))
                }
            return op(call, unknown ? nil : result, start, start + Int.random(in: 1...4, using: &random))
        }
    }

    /// The definition, word for word: some order of the operations, unknown ones left out at will.
    private static func someOrderExplains(_ history: [Operation], state: Int? = nil) -> Bool {
        if history.allSatisfy({ $0.result == nil }) { return true }
        return history.indices.contains { index in
            let candidate = history[index]
            let mustWait = history.contains { $0.result != nil && $0.returned < candidate.invoked }
            guard !mustWait, let (next, _) = candidate.call.applied(to: state, giving: candidate.result) else {
                return false
            }
            var rest = history
            rest.remove(at: index)
            return someOrderExplains(rest, state: next)
        }
    }
}

/// A small generator with a seed, for tables of random cases that are the same in every run.
struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
