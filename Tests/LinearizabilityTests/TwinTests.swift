import Linearizability
import Testing

@Suite("The linearizability checker, against trying every order") struct TwinTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let count: Int
        let shape: RandomHistory
    }

    @Test(arguments: [
        Case(testDescription: "all calls", count: 3_000, shape: RandomHistory(random: SplitMix64(seed: 1))),
        Case(
            testDescription: "gets, sets and swaps", count: 3_000,
            shape: RandomHistory(random: SplitMix64(seed: 2), kinds: [.get, .get, .set, .swap, .create])),
        Case(
            testDescription: "half of the outcomes unknown", count: 3_000,
            shape: RandomHistory(random: SplitMix64(seed: 3), unknownRate: 2)),
        // Those that ask for values only: here operations of unknown outcome are filtered.
        Case(
            testDescription: "unknown increments, with replies that name values", count: 3_000,
            shape: RandomHistory(
                random: SplitMix64(seed: 4), kinds: [.get, .get, .set, .swapHeld, .increment, .lostIncrement],
                unknownRate: 3)),
        Case(
            testDescription: "unknown appends, with replies that name values", count: 3_000,
            shape: RandomHistory(
                random: SplitMix64(seed: 5), kinds: [.get, .getJoined, .getJoined, .set, .swapHeld, .lostAppend],
                unknownRate: 3)),
        Case(
            testDescription: "longer", count: 500,
            shape: RandomHistory(
                random: SplitMix64(seed: 6), kinds: [.get, .get, .set, .swap, .increment, .delete],
                operations: 6...8, unknownRate: 3)),
    ])
    func `agrees on random histories, with an order or a dead end to show`(test: Case) {
        var shape = test.shape
        var explained = 0
        for _ in 0..<test.count {
            let history = shape.next()
            let expected = someOrderExplains(history)
            switch LinearizabilityChecker().check(history) {
            case .linearizable(let order):
                #expect(expected, "\(history)")
                #expect(flaw(of: order, in: history) == nil, "\(history)")
                explained += 1
            case .notLinearizable(let violation):
                #expect(!expected, "\(history)")
                check(violation, of: history)
            case .undecided:
                Issue.record("undecided: \(history)")
            }
        }
        // Both answers were really asked for.
        #expect((test.count / 10...test.count * 9 / 10).contains(explained), "\(explained) of \(test.count)")
    }

    /// What a violation promises about its evidence.
    private func check(_ violation: Violation, of history: [Operation]) {
        #expect(flaw(of: violation.order, in: history, all: false) == nil, "\(history)")
        var register = Register(violation.initial)
        for index in violation.order { _ = register.apply(history[index].call) }
        #expect(register.value == violation.value)
        // The culprit's reply does not fit after the order, and everything that returned before it stands there.
        let culprit = history[violation.culprit]
        let reply = register.apply(culprit.call)
        #expect(reply != culprit.reply, "\(history)")
        for index in history.indices where history[index].reply != nil && history[index].returned < culprit.returned {
            #expect(violation.order.contains(index), "\(history)")
        }
        // All that was called before the culprit returned can be explained without it, if what the order has not placed
        // was still under way.
        let earlier = history.enumerated().compactMap { index, operation -> Operation? in
            guard index != violation.culprit, operation.invoked <= culprit.returned else { return nil }
            guard operation.reply != nil, !violation.order.contains(index) else { return operation }
            return unknown(operation.call, operation.invoked, operation.returned)
        }
        #expect(someOrderExplains(earlier), "\(history)")
    }
}
