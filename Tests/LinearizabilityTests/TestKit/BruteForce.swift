import Linearizability

/// The definition of linearizability, word for word: some order of the operations, unknown ones left out at will, that
/// respects real time and in which the register gives every reply. Takes time without bound: for a handful of operations.
func someOrderExplains(_ history: [Operation], from register: Register = Register()) -> Bool {
    let history = history.filter { $0.outcome != .notApplied }
    if history.allSatisfy({ $0.outcome == .unknown }) { return true }
    return history.indices.contains { index in
        let next = history[index]
        let mustWait = history.contains { $0.reply != nil && $0.returned < next.invoked }
        var register = register
        let reply = register.apply(next.call)
        guard !mustWait, next.outcome == .unknown || next.reply == reply else { return false }
        var rest = history
        rest.remove(at: index)
        return someOrderExplains(rest, from: register)
    }
}

/// Why `order` does not explain the history, with or without `all` operations that have a reply; `nil` if it does.
func flaw(of order: [Int], in history: [Operation], initial: Register.Value? = nil, all: Bool = true) -> String? {
    if Set(order).count != order.count { return "an operation twice" }
    var register = Register(initial)
    for (place, index) in order.enumerated() {
        let operation = history[index]
        if operation.outcome == .notApplied { return "\(operation) was not applied, and is placed" }
        let reply = register.apply(operation.call)
        if let given = operation.reply, given != reply { return "\(operation) would have answered \(reply)" }
        let placed = Set(order[...place])
        let missed = history.indices.first { earlier in
            history[earlier].reply != nil && history[earlier].returned < operation.invoked && !placed.contains(earlier)
        }
        if let missed { return "\(history[missed]) had returned before \(operation) was called" }
    }
    let placed = Set(order)
    let missing = history.indices.first { all && history[$0].reply != nil && !placed.contains($0) }
    return missing.map { "\(history[$0]) is not placed" }
}
