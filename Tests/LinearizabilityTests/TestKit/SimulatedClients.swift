import Linearizability

/// Clients that each do one operation after the other on one register which is right, in a time of its own: the histories
/// that a good store gives, as long as wanted.
struct SimulatedClients {
    var random: SplitMix64
    var clients = 10
    var operationsEach = 1_000
    /// One in so many gets no reply; half of those take effect, perhaps much later.
    var unknownRate = Int.max
    var kinds: [Kind] = [.get, .get, .get, .get, .set, .set, .compareAndSet, .increment]

    enum Kind { case get, set, compareAndSet, increment, delete, append }

    private struct Planned {
        var client: Int
        var call: Register.Call
        var invoked: UInt64
        var returned: UInt64
        var isUnknown: Bool
        /// `nil`: never.
        var effect: UInt64?
    }

    /// In the order of their calls.
    mutating func history() -> [Operation] {
        var planned = (0..<clients).flatMap { plan(client: $0) }
        planned.sort { ($0.effect ?? .max, $0.client) < ($1.effect ?? .max, $1.client) }
        var register = Register()
        // What a client would compare with: something that was there lately.
        var latest: Register.Value?
        let operations = planned.map { plan in
            var call = plan.call
            if case .compareAndSet(_, let new) = call { call = .compareAndSet(expected: latest, new: new) }
            if Int.random(in: 0..<3, using: &random) == 0 { latest = register.value }
            let reply = plan.effect == nil ? nil : register.apply(call)
            let outcome = plan.isUnknown ? .unknown : reply.map(Operation.Outcome.replied) ?? .unknown
            return Operation(
                client: plan.client, call: call, outcome: outcome, invoked: plan.invoked, returned: plan.returned)
        }
        return operations.sorted { ($0.invoked, $0.client) < ($1.invoked, $1.client) }
    }

    private mutating func plan(client: Int) -> [Planned] {
        var now: UInt64 = 0
        return (0..<operationsEach).map { number in
            let invoked = now + .random(in: 1...300_000, using: &random)
            let returned = invoked + .random(in: 100_000...2_000_000, using: &random)
            now = returned
            let isUnknown = Int.random(in: 0..<unknownRate, using: &random) == 0
            let late: UInt64 = isUnknown ? .random(in: 0...20_000_000, using: &random) : 0
            let effect = UInt64.random(in: invoked...returned, using: &random) + late
            let isLost = isUnknown && Bool.random(using: &random)
            // A thousand apart, so that increments do not meet another client's values.
            let fresh = Register.Value(Int64((number * clients + client + 1) * 1_000))
            return Planned(
                client: client, call: call(fresh), invoked: invoked, returned: returned, isUnknown: isUnknown,
                effect: isLost ? nil : effect)
        }
    }

    private mutating func call(_ fresh: Register.Value) -> Register.Call {
        switch kinds.randomElement(using: &random)! {
        case .get: .get
        case .set: .set(fresh)
        case .compareAndSet: .compareAndSet(expected: nil, new: fresh)
        case .increment: .increment(by: 1)
        case .delete: .delete
        case .append: .append(Register.Value("x"))
        }
    }
}

extension [Operation] {
    /// The history with one stale read about `place` of the way through, in the order of calls: a get that answers what
    /// was overwritten before it began. Of histories with sets of different values.
    func withStaleRead(at place: Double) -> [Operation] {
        var history = self
        for index in Int(Double(count) * place)..<count {
            guard case .replied(.value(let fresh)) = history[index].outcome else { continue }
            let begin = history[index].invoked
            // A value seen long ago, so that several sets have passed since.
            let stale = history[..<index].last { earlier in
                guard case .replied(.value(let value)) = earlier.outcome else { return false }
                return value != fresh && earlier.returned + 20_000_000 < begin
            }
            guard let stale else { continue }
            history[index].outcome = stale.outcome
            return history
        }
        preconditionFailure("no read to spoil")
    }
}
