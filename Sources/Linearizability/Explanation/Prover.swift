/// Looks for a short proof that a culprit's reply cannot be. Each rule that answers has proved it by itself.
struct Prover {
    struct Proof {
        var sentence: String
        var witnesses: [Int] = []
    }

    /// Replies that a sentence can list.
    private static let longestCore = 5

    private let violation: Violation
    private let operations: [Operation]
    private let culprit: Operation
    private let words: Words
    /// What the culprit must have found; empty if its reply says too little for the first three rules.
    private let needed: [Register.Value?]
    /// Operations that may have made it so before the culprit returned.
    private let sources: [Int]

    init(_ violation: Violation, _ operations: [Operation]) {
        let culprit = operations[violation.culprit]
        var needed: [Register.Value?] = []
        if case .oneOf(let values) = Finding(culprit) { needed = values }
        (self.violation, self.operations, self.culprit, self.needed) = (violation, operations, culprit, needed)
        words = Words(operations)
        sources = operations.indices.filter {
            $0 != violation.culprit && operations[$0].mayLeave(needed) && operations[$0].invoked <= culprit.returned
        }
    }

    /// Nothing could have written what it found.
    func unwritten() -> Proof? {
        guard !needed.isEmpty, !needed.contains(violation.initial), sources.isEmpty else { return nil }
        let value = words.value(needed[0])
        let others = operations.indices.filter { $0 != violation.culprit && operations[$0].couldLeave(needed) }
        if let refused = others.first(where: { operations[$0].outcome == .notApplied }) {
            return Proof(
                sentence: """
                    \(words.claim(culprit)), but only \(words.naming(operations[refused])) would have written \(value), \
                    and the store had promised that it was not applied.
                    """,
                witnesses: [refused])
        }
        let later = others.filter { operations[$0].mayLeave(needed) }.min {
            operations[$0].invoked < operations[$1].invoked
        }
        if let later {
            return Proof(
                sentence: """
                    \(words.claim(culprit)) by \(words.moment(culprit.returned)), but the first operation that could \
                    have written \(value), \(words.naming(operations[later])), was not called before \
                    \(words.moment(operations[later].invoked)).
                    """,
                witnesses: [later])
        }
        return Proof(sentence: "\(words.claim(culprit)), but no operation in this history can have written \(value).")
    }

    /// What it found had been overwritten for good before it began: another value was there after the last moment at
    /// which anything could have written the one it found.
    func overwritten() -> Proof? {
        guard !needed.isEmpty, sources.allSatisfy({ operations[$0].reply != nil }) else { return nil }
        let lastWrite = sources.max { operations[$0].returned < operations[$1].returned }
        let witnesses = operations.indices.filter { index in
            let operation = operations[index]
            guard let shown = operation.shownValue, !needed.contains(shown) else { return false }
            return operation.returned < culprit.invoked
                && (lastWrite.map { operations[$0].returned < operation.invoked } ?? true)
        }
        // What was acknowledged says more than what was read, the latest more than an earlier one.
        let witness = witnesses.max {
            let (a, b) = (operations[$0], operations[$1])
            return (a.call == .get ? 0 : 1, a.returned, $0) < (b.call == .get ? 0 : 1, b.returned, $1)
        }
        guard let witness else { return nil }
        let proof = operations[witness]
        let seen =
            proof.call == .get
            ? "client \(proof.client) had read \(words.value(proof.shownValue!))"
            : "\(words.naming(proof)) had been acknowledged"
        let last =
            switch lastWrite {
            case nil: "\(words.value(needed[0])) was there only at the start, before any write"
            case let write? where sources.count == 1:
                "\(words.value(needed[0])) was written only by \(words.naming(operations[write])), which had ended at "
                    + words.moment(operations[write].returned)
            case let write?:
                "the last write of \(words.value(needed[0])) had ended at \(words.moment(operations[write].returned))"
            }
        return Proof(
            sentence: """
                \(words.claim(culprit)) after \(seen) at \(words.moment(proof.returned)), before this \
                \(words.noun(culprit)) was called at \(words.moment(culprit.invoked)); \(last).
                """,
            witnesses: [witness] + (lastWrite.map { [$0] } ?? []))
    }

    /// More operations than possible have found it and changed it: each needs a write of its own.
    func usedUp() -> Proof? {
        guard !needed.isEmpty, sources.allSatisfy({ operations[$0].reply != nil }) else { return nil }
        let takers = operations.indices.filter { index in
            let operation = operations[index]
            guard operation.reply?.saysUnchanged == false, operation.returned <= culprit.returned,
                case .oneOf(let found) = Finding(operation), Set(found).isSubset(of: needed),
                let left = operation.shownValue
            else { return false }
            return !needed.contains(left)
        }
        let times = sources.count + (needed.contains(violation.initial) ? 1 : 0)
        guard takers.contains(violation.culprit), takers.count > times else { return nil }
        let others = takers.filter { $0 != violation.culprit }
        let named = words.list(
            others.prefix(3).map { words.naming(operations[$0]) }
                + (others.count > 3 ? ["\(others.count - 3) more"] : []))
        return Proof(
            sentence: """
                \(words.claim(culprit)) and changed that, as \(named) did; but the register can have been \
                \(needed.map(words.value).joined(separator: " or ")) only \(times == 1 ? "once" : "\(times) times").
                """,
            witnesses: others + sources)
    }

    /// A few replies that contradict each other in a way that has no name.
    func core() -> Proof? {
        guard let core = Core.find(violation, operations), core.count <= Self.longestCore else { return nil }
        let others = core.filter { $0 != violation.culprit }
            .sorted { (operations[$0].invoked, $0) < (operations[$1].invoked, $1) }
        let listed = others.map { "\(words.naming(operations[$0])) (\(words.interval(operations[$0])))" }
        let claim = listed.isEmpty ? "is impossible" : "contradicts \(words.list(listed))"
        return Proof(
            sentence: """
                \(words.naming(culprit, isStart: true)) (\(words.interval(culprit))) \(claim), no matter when the other \
                operations took effect, if they did.
                """,
            witnesses: others)
    }

    /// No short proof: what the longest order leads to.
    func deadEnd() -> Proof {
        var register = Register(violation.value)
        let reply = register.apply(culprit.call)
        let count = violation.order.count
        return Proof(
            sentence: """
                No order explains \(words.naming(culprit)): up to its return at \(words.moment(culprit.returned)) the \
                longest that can be found places \(count) operation\(count == 1 ? "" : "s") and leaves \
                \(words.value(violation.value)), where it would have answered \(words.reply(reply)).
                """)
    }
}
