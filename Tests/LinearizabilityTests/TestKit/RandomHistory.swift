import Linearizability

/// Histories of a few operations with values from a small set, so that many of them can be explained and many cannot.
struct RandomHistory {
    enum Kind: CaseIterable {
        case get, getJoined, set, swap, swapHeld, create, increment, delete, append
        /// Without a reply, always.
        case lostAppend, lostIncrement
    }

    var random: SplitMix64
    var kinds = Kind.allCases
    var operations: ClosedRange<Int> = 1...6
    /// One in so many has an unknown outcome.
    var unknownRate = 5

    mutating func next() -> [Operation] {
        (0..<Int.random(in: operations, using: &random)).map { _ in operation() }
    }

    private mutating func operation() -> Operation {
        let invoked = UInt64.random(in: 0..<6, using: &random)
        let returned = invoked + UInt64.random(in: 0...4, using: &random)
        let (call, reply) = callAndReply()
        let outcome: Operation.Outcome =
            switch Int.random(in: 0..<4 * unknownRate, using: &random) {
            case 0..<4: .unknown
            case 4: .notApplied
            default: reply.map(Operation.Outcome.replied) ?? .unknown
            }
        return Operation(
            client: Int.random(in: 0..<3, using: &random), call: call, outcome: outcome, invoked: invoked,
            returned: returned)
    }

    private mutating func callAndReply() -> (Register.Call, Register.Reply?) {
        let value = Register.Value(Int64.random(in: 1...2, using: &random))
        let other: Register.Value = value == 1 ? 2 : 1
        let coin = Bool.random(using: &random)
        switch kinds.randomElement(using: &random)! {
        case .get: return (.get, .value(Int.random(in: 0..<3, using: &random) == 0 ? nil : value))
        case .getJoined: return (.get, .value(coin ? "11" : "12"))
        case .set: return (.set(value), .done)
        case .swap: return (.compareAndSet(expected: value, new: other), .swapped(coin))
        case .swapHeld: return (.compareAndSet(expected: value, new: other), .swapped(true))
        case .create: return (.compareAndSet(expected: nil, new: value), .swapped(coin))
        case .increment: return (.increment(by: coin ? 1 : -1), .number(Int64.random(in: 0...2, using: &random)))
        case .delete: return (.delete, .deleted(coin))
        case .append: return (.append(value), .length(Int.random(in: 1...2, using: &random)))
        case .lostAppend: return (.append(value), nil)
        case .lostIncrement: return (.increment(by: coin ? 1 : -1), nil)
        }
    }
}
