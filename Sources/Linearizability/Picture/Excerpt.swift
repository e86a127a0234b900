/// The operations that a picture shows: those around the failure and those that prove it, however far back.
struct Excerpt {
    /// Indices into the history, in the order of calls.
    let shown: [Int]
    /// By index into the history: the number in the order found, from 1. Of all operations placed, shown or not.
    let numbers: [Int: Int]
    /// The clients that the shown operations belong to, ascending.
    let clients: [Int]
    /// Moments of calls of operations up to the failure that are left out, ascending.
    let hiddenCalls: [UInt64]
    /// How many operations were called after the failure.
    let laterCount: Int

    init(_ violation: Violation, _ explanation: Explanation, _ operations: [Operation], atMost limit: Int) {
        let end = operations[violation.culprit].returned
        var chosen: Set<Int> = [violation.culprit]
        chosen.formUnion(explanation.witnesses)
        chosen.formUnion(violation.unplaced.prefix(limit))
        for index in violation.order.reversed() where chosen.count < limit { chosen.insert(index) }
        // What has no place says something too, beside what has: unknown outcomes, and what was not applied.
        let start = violation.order.suffix(limit).filter(chosen.contains).map { operations[$0].invoked }.min() ?? 0
        let beside = operations.indices.filter { index in
            let operation = operations[index]
            return operation.reply == nil && operation.invoked <= end && operation.returned >= start
        }
        for index in beside.reversed() where chosen.count < limit + limit / 2 { chosen.insert(index) }

        shown = chosen.sorted { (operations[$0].invoked, $0) < (operations[$1].invoked, $1) }
        numbers = Dictionary(uniqueKeysWithValues: violation.order.enumerated().map { ($1, $0 + 1) })
        clients = Set(shown.map { operations[$0].client }).sorted()
        hiddenCalls =
            operations.indices.filter { operations[$0].invoked <= end && !chosen.contains($0) }
            .map { operations[$0].invoked }.sorted()
        laterCount = operations.count { $0.invoked > end }
    }
}
