import Linearizability
import Testing

@Suite("Why a history can't be explained, in a sentence") struct ExplanationTests {
    struct Example: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let history: [Operation]
        let sentence: String
        let witnesses: [Int]

        init(_ name: String, _ history: [Operation], _ sentence: String, witnesses: [Int] = []) {
            (testDescription, self.history, self.sentence, self.witnesses) = (name, history, sentence, witnesses)
        }
    }

    @Test(arguments: [
        Example(
            "a stale read after an acknowledged write",
            [set(3, 0, 10, client: 1), set(5, 20, 30, client: 2), get(3, 40, 50, client: 3)],
            """
            Client 3 read 3 after set 5 of client 2 had been acknowledged at 30 ns, before this read was called at 40 ns; \
            3 was written only by set 3 of client 1, which had ended at 10 ns.
            """, witnesses: [0, 1]),
        Example(
            "a stale read after a fresh one",
            [set(5, 0, 90, client: 1), get(5, 20, 30, client: 2), get(nil, 40, 50, client: 3)],
            """
            Client 3 read nil after client 2 had read 5 at 30 ns, before this read was called at 40 ns; nil was \
            there only at the start, before any write.
            """, witnesses: [1]),
        Example(
            "a value of several writes",
            [set(3, 0, 10), set(3, 5, 15), set(5, 20, 30), get(3, 40, 50)],
            """
            Client 0 read 3 after set 5 of client 0 had been acknowledged at 30 ns, before this read was called at 40 ns; \
            the last write of 3 had ended at 15 ns.
            """, witnesses: [1, 2]),
        Example(
            "a value that nobody wrote", [set(1, 0, 1), get(2, 2, 3)],
            "Client 0 read 2, but no operation in this history can have written 2."),
        Example(
            "an effect of what was not applied", [notApplied(.set(7), 0, 1, client: 4), get(7, 2, 3)],
            """
            Client 0 read 7, but only set 7 → not applied of client 4 would have written 7, and the store had promised \
            that it was not applied.
            """, witnesses: [0]),
        Example(
            "a value from the future", [get(7, 0, 1), set(7, 2, 3, client: 4)],
            """
            Client 0 read 7 by 1 ns, but the first operation that could have written 7, set 7 of client 4, was not called \
            before 2 ns.
            """, witnesses: [1]),
        Example(
            "an increment that counted twice", [add(1, 1, 0, 1), add(1, 3, 2, 3)],
            "Client 0's increment answered 3, so it found 2, but no operation in this history can have written 2."),
        Example(
            "two increments with one answer", [add(1, 1, 0, 9, client: 1), add(1, 1, 0, 9, client: 2)],
            """
            Client 2's increment answered 1, so it found 0 or nil and changed that, as increment by 1 → 1 of client 1 \
            did; but the register can have been 0 or nil only once.
            """, witnesses: [0]),
        Example(
            "two swaps of one value",
            [set(1, 0, 1), swap(1, 2, true, 2, 9, client: 1), swap(1, 3, true, 2, 9, client: 2)],
            """
            Client 2's compare-and-set found 1 and changed that, as compare-and-set 1 → 2 → swapped of client 1 did; but \
            the register can have been 1 only once.
            """, witnesses: [0, 1]),
        Example(
            "a swap that should have held", [set(1, 0, 1), swap(1, 2, false, 2, 3)],
            """
            Compare-and-set 1 → 2 → not equal of client 0 (2 to 3 ns) contradicts set 1 of client 0 (0 to 1 ns), no matter \
            when the other operations took effect, if they did.
            """, witnesses: [0]),
        Example(
            "too much to tell",
            (1...5).map { set("x", 0, 9, client: $0) } + (1...6).map { op(.delete, .deleted(true), 0, 9, client: $0) },
            """
            No order explains delete → deleted of client 6: up to its return at 9 ns the longest that can be found places \
            10 operations and leaves nil, where it would have answered nothing to delete.
            """),
    ])
    func `names the proof`(example: Example) throws {
        let violation = try #require(LinearizabilityChecker().check(example.history).violation)
        let explanation = Explanation(of: violation, in: example.history)
        #expect(explanation.sentence == example.sentence)
        #expect(explanation.witnesses == example.witnesses)
    }

    @Test func `finds the replies that contradict each other among many`() throws {
        let noise = (0..<200).map { (number: Int) -> Operation in
            let moment = UInt64(10 * number)
            return set(Register.Value(Int64(1_000 + number)), moment, moment + 5, client: 9)
        }
        let history =
            noise + [
                set(3, 300, 305, client: 1), add(1, 4, 306, 309, client: 2), unknown(.increment(by: 1), 1_000, 1_001),
                get(4, 2_500, 2_501, client: 3),
            ]
        let violation = try #require(LinearizabilityChecker().check(history).violation)
        let explanation = Explanation(of: violation, in: history)
        #expect(
            explanation.sentence == """
                Get → 4 of client 3 (2.5 to 2.501 µs) contradicts increment by 1 → 4 of client 2 (0.306 to 0.309 µs) and \
                set 1199 of client 9 (1.99 to 1.995 µs), no matter when the other operations took effect, if they did.
                """)
        #expect(explanation.witnesses == [201, 199])
    }

    /// Every sentence but the last resort claims a proof. What it rests on, put as a history of its own, must have no order.
    @Test func `what it claims is true, in random histories`() throws {
        var shape = RandomHistory(
            random: SplitMix64(seed: 11), kinds: [.get, .get, .set, .swapHeld, .swap, .increment, .delete, .append],
            operations: 2...7)
        var claims: [String: Int] = [:]
        for _ in 0..<2_500 {
            let history = shape.next()
            guard let violation = LinearizabilityChecker().check(history).violation else { continue }
            let explanation = Explanation(of: violation, in: history)
            let (kind, claim) = claim(explanation, violation, history)
            claims[kind, default: 0] += 1
            let isAtStart = kind != "contradiction" && Shapes.found(by: history[violation.culprit]).contains(nil)
            let start = Register(isAtStart ? "v" : nil)
            #expect(!someOrderExplains(claim, from: start), "\(kind): \(explanation.sentence) \(history)")
        }
        for kind in ["unwritten", "overwritten", "used up", "contradiction"] {
            #expect(claims[kind, default: 0] > 20, "\(claims)")
        }
    }

    /// The claim of an explanation, with every value that the culprit may have found written as `v`.
    private func claim(
        _ explanation: Explanation, _ violation: Violation, _ history: [Operation]
    ) -> (kind: String, claim: [Operation]) {
        let culprit = history[violation.culprit]
        let needed = Shapes.found(by: culprit)
        let before = history.enumerated().filter {
            $0.offset != violation.culprit && $0.element.invoked <= culprit.returned
        }
        let sources = before.map(\.element).filter { !Shapes.left(by: $0).isDisjoint(with: needed) }.map { source in
            var source = source
            if source.reply != nil { source.outcome = .replied(.done) }
            source.call = .set("v")
            return source
        }
        let reads = sources + [get("v", culprit.invoked, culprit.returned)]
        if explanation.sentence.contains("written") && !explanation.sentence.contains("after") {
            return ("unwritten", reads)
        }
        if explanation.sentence.contains("had been acknowledged") || explanation.sentence.contains("had read") {
            // Another value was there at some moment of the last witness that is no source; where it came from is open.
            let witness = history[explanation.witnesses.last!]
            return (
                "overwritten", reads + [unknown(.set("other"), 0, 0), get("other", witness.invoked, witness.returned)]
            )
        }
        if explanation.sentence.contains("changed that") {
            let takers = (explanation.witnesses + [violation.culprit]).map { history[$0] }.filter { operation in
                Set(Shapes.found(by: operation)).isSubset(of: needed) && operation.reply?.saysUnchanged == false
            }.enumerated().map { number, taker in
                swap("v", .init("taken \(number)"), true, taker.invoked, taker.returned)
            }
            return ("used up", sources + takers)
        }
        if explanation.sentence.contains("no matter when") {
            let kept = history.enumerated().filter { $0.element.invoked <= culprit.returned }.map { index, operation in
                let isKept =
                    index == violation.culprit || explanation.witnesses.contains(index) || operation.reply == nil
                if isKept { return operation }
                if operation.reply?.saysUnchanged == true {
                    return notApplied(operation.call, operation.invoked, operation.returned)
                }
                return unknown(operation.call, operation.invoked, operation.returned)
            }
            // An increment of which nothing is known may do more than one whose number is known: these are not put to the
            // test in this way.
            let isExact = kept.allSatisfy { operation in
                if case .increment = operation.call, operation.outcome == .unknown { false } else { true }
            }
            return isExact ? ("contradiction", kept) : ("inexact", [get("never", 0, 0)])
        }
        return ("none", [get("never", 0, 0)])
    }
}
