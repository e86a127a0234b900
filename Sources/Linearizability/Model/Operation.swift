/// One operation of one client on one key, with the interval in which it may have taken effect.
public struct Operation: Hashable, Sendable {
    /// What the client knows about the operation in the end.
    public enum Outcome: Hashable, Sendable {
        /// It took effect at some moment between call and reply, and found the register such that it answered this.
        case replied(Register.Reply)
        /// It may have taken effect at any moment after the call, even long after the client gave up, or never.
        case unknown
        /// The store promised that it has not taken effect and never will.
        case notApplied
    }

    /// Who called. Only for people: the checker does not care, and a client may have several operations under way.
    public var client: Int
    public var call: Register.Call
    public var outcome: Outcome
    /// When the client sent the call, in nanoseconds of a clock that all clients of the history share.
    public var invoked: UInt64
    /// When the reply came or the client stopped waiting; not before `invoked`, by the same clock. Operations that touch
    /// at one instant count as overlapping. For an unknown outcome it bounds nothing and is only shown.
    public var returned: UInt64

    public init(
        client: Int = 0, call: Register.Call, outcome: Outcome, invoked: UInt64, returned: UInt64
    ) {
        precondition(invoked <= returned, "\(call) returned at \(returned), before it was called at \(invoked)")
        (self.client, self.call, self.outcome) = (client, call, outcome)
        (self.invoked, self.returned) = (invoked, returned)
    }

    /// The reply, if there was one.
    public var reply: Register.Reply? {
        if case .replied(let reply) = outcome { reply } else { nil }
    }
}

extension Operation: CustomStringConvertible {
    /// As a label: `get → 3`, `set 5 → ?`. A set that succeeded is just `set 5`.
    public var description: String {
        switch outcome {
        case .replied(.done): "\(call)"
        case .replied(let reply): "\(call) → \(reply)"
        case .unknown: "\(call) → ?"
        case .notApplied: "\(call) → not applied"
        }
    }
}
