import Linearizability
import Testing

@Suite("The linearizability checker, on histories made by hand") struct CheckerTests {
    private let checker = LinearizabilityChecker()

    struct Example: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let history: [Operation]
        init(_ name: String, _ history: [Operation]) { (testDescription, self.history) = (name, history) }
    }

    @Test(arguments: [
        Example("nothing", []),
        Example("one after another", [set(1, 0, 1), get(1, 2, 3)]),
        Example("a read beside a write sees it", [set(1, 0, 9), get(1, 2, 3)]),
        Example("a read beside a write does not see it", [set(1, 0, 9), get(nil, 2, 3)]),
        Example("a read that touches a write at one instant", [get(1, 0, 1), set(1, 1, 2)]),
        Example("two writes in either order", [set(1, 0, 9), set(2, 0, 9), get(1, 10, 11)]),
        Example(
            "readers that see two writes in the order of time",
            [set(1, 0, 9), set(2, 0, 9), get(2, 1, 2), get(1, 3, 4)]
        ),
        Example("an unknown write that took effect late", [unknown(.set(1), 0, 1), get(nil, 2, 3), get(1, 4, 5)]),
        Example("an unknown write that never did", [unknown(.set(1), 0, 1), get(nil, 2, 3)]),
        Example(
            "an unknown write after a later one",
            [unknown(.set(1), 0, 1), set(2, 2, 3), get(2, 4, 5), get(1, 6, 7)]),
        Example(
            "two unknown appends, one after the other",
            [unknown(.append("a"), 0, 1), unknown(.append("b"), 0, 1), get("ba", 2, 3)]),
        Example(
            "an unknown set, then an unknown increment of it",
            [unknown(.increment(by: 1), 0, 1), unknown(.set(4), 0, 1), get(5, 2, 3)]),
        Example(
            "an unknown swap that held late",
            [set(1, 0, 1), unknown(.compareAndSet(expected: 2, new: 3), 2, 3), set(2, 4, 5), get(3, 6, 7)]),
        Example("an unknown delete", [set(1, 0, 1), unknown(.delete, 2, 3), get(1, 4, 5), get(nil, 6, 7)]),
        Example(
            "an unknown set before an append that would have fitted without it",
            [set(2, 0, 1), unknown(.set(1), 2, 3), op(.append("2"), .length(2), 4, 5), get("12", 6, 7)]),
        Example("a get without a reply", [unknown(.get, 0, 1), set(1, 2, 3)]),
        Example("a write that was not applied", [notApplied(.set(1), 0, 1), get(nil, 2, 3)]),
        Example(
            "a swap that held and one that did not",
            [set(1, 0, 1), swap(1, 2, true, 2, 3), swap(1, 3, false, 4, 5), get(2, 6, 7)]),
        Example(
            "a swap of a key that does not exist", [swap(nil, 1, true, 0, 1), swap(nil, 2, false, 2, 3), get(1, 4, 5)]),
        Example("increments that overlap", [add(1, 2, 0, 9), add(1, 1, 0, 9), get(2, 10, 11)]),
        Example("an increment of a set number", [set("-1", 0, 1), add(1, 0, 2, 3), get(0, 4, 5)]),
        Example(
            "a delete that found it, and one that did not",
            [set(1, 0, 1), op(.delete, .deleted(true), 2, 3), op(.delete, .deleted(false), 4, 5), get(nil, 6, 7)]),
        Example(
            "appends to nothing",
            [op(.append("ab"), .length(2), 0, 1), op(.append("c"), .length(3), 2, 3), get("abc", 4, 5)]),
        Example("an empty append makes the key", [op(.append(""), .length(0), 0, 1), get("", 2, 3)]),
        Example("an increment of text", [set("x", 0, 1), op(.increment(by: 1), .notAnInteger, 2, 3), get("x", 4, 5)]),
        Example(
            "an increment of what Redis takes for text", [set("01", 0, 1), op(.increment(by: 1), .notAnInteger, 2, 3)]),
        Example(
            "an increment beyond 64 bits",
            [set(.init(Int64.max), 0, 1), op(.increment(by: 1), .overflow, 2, 3), get(.init(Int64.max), 4, 5)]),
    ])
    func `accepts what one register could have answered`(example: Example) throws {
        guard case .linearizable(let order) = checker.check(example.history) else {
            Issue.record("\(checker.check(example.history))")
            return
        }
        #expect(flaw(of: order, in: example.history) == nil)
    }

    @Test(arguments: [
        Example("a stale read", [set(1, 0, 1), get(nil, 2, 3)]),
        Example("a lost update", [set(1, 0, 1), set(2, 2, 3), get(1, 4, 5)]),
        Example("a value that goes back", [set(1, 0, 9), get(1, 2, 3), get(nil, 4, 5)]),
        Example("a read before its write was called", [get(1, 0, 1), set(1, 2, 3)]),
        Example("a value that nobody wrote", [set(1, 0, 1), get(2, 2, 3)]),
        Example("an increment that counted twice", [add(1, 1, 0, 1), get(2, 2, 3)]),
        Example("two increments with one answer", [add(1, 1, 0, 9), add(1, 1, 0, 9)]),
        Example("an unknown increment that counted twice", [unknown(.increment(by: 1), 0, 1), get(2, 2, 3)]),
        Example(
            "an unknown write that came back from the dead",
            [unknown(.set(1), 0, 1), get(1, 2, 3), set(2, 4, 5), get(2, 6, 7), get(1, 8, 9)]),
        Example("an unknown write seen before it was called", [get(1, 0, 1), unknown(.set(1), 2, 3)]),
        Example("a write that was not applied, and is seen", [notApplied(.set(1), 0, 1), get(1, 2, 3)]),
        Example(
            "an increment that was not applied, and counted", [notApplied(.increment(by: 1), 0, 1), add(1, 2, 2, 3)]),
        Example("two swaps of one value", [set(1, 0, 1), swap(1, 2, true, 2, 9), swap(1, 3, true, 2, 9)]),
        Example("a swap that should have held", [set(1, 0, 1), swap(1, 2, false, 2, 3)]),
        Example("two creations of one key", [swap(nil, 1, true, 0, 9), swap(nil, 2, true, 0, 9)]),
        Example("a delete of nothing", [op(.delete, .deleted(true), 0, 1)]),
        Example("a delete that should have found it", [set(1, 0, 1), op(.delete, .deleted(false), 2, 3)]),
        Example("a lost append", [op(.append("a"), .length(1), 0, 1), op(.append("b"), .length(1), 2, 3)]),
        Example(
            "an append in two orders",
            [
                op(.append("a"), .length(1), 0, 9), op(.append("b"), .length(2), 0, 9), get("ba", 10, 11),
            ]),
        Example("a number that is called text", [set(1, 0, 1), op(.increment(by: 1), .notAnInteger, 2, 3)]),
        Example("nothing that is called text", [op(.increment(by: 1), .notAnInteger, 2, 3)]),
        Example("an overflow of nothing", [op(.increment(by: 1), .overflow, 2, 3)]),
        Example("a sum that no increment can give", [add(-1, .max, 0, 1)]),
        Example("a reply of another call", [op(.get, .done, 0, 1)]),
    ])
    func `rejects what no register could have answered`(example: Example) throws {
        let violation = try #require(checker.check(example.history).violation)
        #expect(flaw(of: violation.order, in: example.history, all: false) == nil)
    }

    @Test func `starts from the value it is given`() {
        #expect(checker.check([get(7, 0, 1)], initial: 7).isLinearizable)
        #expect(!checker.check([get(nil, 0, 1)], initial: 7).isLinearizable)
    }

    @Test func `shows the operation at whose return nothing was left to try`() throws {
        let history = [
            get(2, 20, 30), set(1, 0, 1), set(2, 2, 3), get(1, 4, 5, client: 7), set(3, 4, 6), set(4, 8, 9),
        ]
        let violation = try #require(checker.check(history).violation)
        #expect(violation.culprit == 3)
        // The set that overlaps the culprit is placed too: the longest order, not the shortest.
        #expect(violation.order == [1, 2, 4])
        #expect(violation.value == 3)
        #expect(violation.unplaced == [3])
    }

    @Test func `its longest order has no unknown operation that is not needed`() throws {
        let history = [unknown(.set(9), 0, 1), set(1, 0, 1), unknown(.set(2), 2, 3), get(2, 4, 5), get(1, 6, 7)]
        let violation = try #require(checker.check(history).violation)
        #expect(violation.order == [1, 2, 3])
        #expect(violation.unplaced == [4])
    }
}

@Suite("The linearizability checker, at its limit") struct LimitTests {
    /// Unknown appends and increments, which might give any value in very many orders, and a read that none explains.
    private let hard: [Operation] =
        (1...9).flatMap { [unknown(.append(.init(Int64($0))), 0, 1), unknown(.increment(by: $0 * 100), 0, 1)] }
        + [get("hopeless", 2, 3)]

    @Test func `says undecided, not fine, at the end of its patience`() {
        let verdict = LinearizabilityChecker(configurationLimit: 1_000).check(hard)
        #expect(verdict == .undecided(configurations: 1_001))
        #expect(!verdict.isLinearizable)
        #expect(verdict.violation == nil)
    }

    @Test func `a history of many keys is as undecided as its hardest key`() {
        var history = History()
        hard.forEach { history.record($0, key: "hard") }
        history.record(get(nil, 0, 1), key: "easy")
        let verdicts = history.check(with: LinearizabilityChecker(configurationLimit: 10))
        #expect(verdicts.map(\.key) == ["easy", "hard"])
        #expect(verdicts.map(\.verdict) == [.linearizable(order: [0]), .undecided(configurations: 11)])
    }

    @Test func `many unknown increments are one choice, not as many as there are subsets`() {
        let increments = (0..<200).map { _ in unknown(.increment(by: 1), 0, 1) }
        let checker = LinearizabilityChecker(configurationLimit: 1_000)
        #expect(checker.check(increments + [get(200, 2, 3)]).isLinearizable)
        #expect(checker.check(increments + [get(201, 2, 3)]).violation != nil)
    }

    @Test func `unknown writes that nobody saw are not tried in every order`() {
        let writes = (0..<200).map { unknown(.set(.init(Int64($0))), 0, 1) }
        let checker = LinearizabilityChecker(configurationLimit: 1_000)
        #expect(checker.check(writes + [get(7, 2, 3), get(8, 4, 5)]).isLinearizable)
        #expect(checker.check(writes + [get(7, 2, 3), get(8, 4, 5), get(7, 6, 7)]).violation != nil)
    }
}
