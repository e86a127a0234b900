/// What a search found out about one key's history.
public enum Verdict: Hashable, Sendable {
    /// `order` explains every reply: indices into the history, those of unknown outcomes only where they are needed.
    case linearizable(order: [Int])
    /// No order explains every reply.
    case notLinearizable(Violation)
    /// The limit was reached after so many configurations: nothing is known. Never to be taken for a success.
    case undecided(configurations: Int)

    public var isLinearizable: Bool {
        if case .linearizable = self { true } else { false }
    }

    public var violation: Violation? {
        if case .notLinearizable(let violation) = self { violation } else { nil }
    }
}

/// The evidence that no order of a history's operations explains all replies.
///
/// The search walks the history in the order of time. `culprit` is the operation at whose return every attempt had
/// failed: what returned before it can be explained, with it nothing can. It is the first moment at which an observer
/// of all clients would have known. Indices are those of the history.
public struct Violation: Hashable, Sendable {
    /// The operation that has no place between its call and its reply.
    public var culprit: Int
    /// The longest order found up to there: all that returned before the culprit, and perhaps some that overlap it.
    /// By known outcomes; of the orders with as many, one with the fewest unknown ones.
    public var order: [Int]
    /// What the register held at first, and what it holds after `order`.
    public var initial: Register.Value?
    public var value: Register.Value?
    /// Operations with a reply, called before the culprit's return, that `order` has not placed; the culprit first.
    public var unplaced: [Int]
    /// How many configurations were tried.
    public var configurations: Int
}
