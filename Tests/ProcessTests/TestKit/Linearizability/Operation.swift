/// One call of one client on one key, with the interval in which it may have taken effect.
struct Operation: Sendable {
    enum Call: Hashable, Sendable {
        case get
        case set(Int)
        /// `SET key new IFEQ old`
        case compareAndSet(old: Int, new: Int)
        case increment
    }

    enum Result: Hashable, Sendable {
        /// Of a get; `nil`: absent.
        case value(Int?)
        /// Of a set, or of a compare-and-set that held.
        case ok
        /// Of a compare-and-set that did not hold.
        case mismatch
        /// Of an increment.
        case count(Int)
    }

    var call: Call
    /// `nil`: the outcome is unknown. It may have taken effect at any time after `invoked`, or never.
    var result: Result?
    var invoked: ContinuousClock.Instant
    var returned: ContinuousClock.Instant
}

extension Operation.Call {
    /// The register's next value if the call may give `result` on a register that holds `state`.
    ///
    /// - Returns: `nil` when it may not.
    func applied(to state: Int?, giving result: Operation.Result?) -> (next: Int?, Void)? {
        let (next, given): (Int?, Operation.Result) =
            switch self {
            case .get: (state, .value(state))
            case .set(let value): (value, .ok)
            case .compareAndSet(let old, let new): state == old ? (new, .ok) : (state, .mismatch)
            case .increment: ((state ?? 0) + 1, .count((state ?? 0) + 1))
            }
        return result == nil || result == given ? (next, ()) : nil
    }
}
