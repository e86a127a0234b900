/// The walk through all orders of one history, depth first.
///
/// A configuration is the set of operations placed so far and the register's value after them. As everything that
/// returned before `position` is placed, and nothing that was called after the return at `position`, the set is told by
/// that position and one bit for each operation open there: configurations stay small however long the history is.
///
/// Why placing unknown operations only where they are needed loses nothing: take an order that explains all replies with
/// the fewest unknown operations. They stand in runs, and a run ends with a known operation that could not have done the
/// same without the run, since otherwise the run could be left out; nor does an unknown operation leave the value as it
/// is, or overwrite it unseen right after another. And of unknown operations that ask for the same, the one called first
/// may as well be used first.
struct Search: Sendable {
    struct Placement: Sendable {
        var operation: Int32
        var positionBefore: Int32
        var stateBefore: State
        var runStartBefore: State?
        /// A read that fitted, not a choice: there is no alternative to come back to.
        var isForced: Bool
    }

    private let history: [Operation]
    private let initial: Register.Value?
    private let limit: Int
    /// Candidates that were tried, and unknown operations looked at for them: where most are rejected, configurations
    /// stay few and the search is long all the same.
    private var effort = 0
    /// For each configuration of the limit.
    private static let effortPerConfiguration = 1_000
    private let schedule: Schedule
    private let steps: [Step]
    /// Unknown operations whose effect depends on what they find: these can follow another unknown one.
    private let chainable: [Int]

    private var states: States
    private var seen: ConfigurationSet
    private var evidence = Evidence()

    // The present configuration.
    private var path: [Placement] = []
    private var open: OpenList
    private var isPlaced: [Bool]
    /// The first return whose operation is not placed: it must come before anything called later.
    private var position = 0
    private var state: State
    private var unknownPlaced = 0
    /// If the operation placed last is an unknown one: the value before the run of unknown ones, which now has to be seen.
    private var runStart: State?
    /// A word for position and value, one for `runStart`; bits of the slots open here; bits of the unknown operations.
    private var configuration: [UInt64]
    private let unknownBits: Int
    private static let slotBits = 128

    init(_ history: [Operation], initial: Register.Value?, limit: Int) {
        var states = States()
        // What was certainly not applied takes no part, nor does a get without a reply.
        let known = history.indices.filter { history[$0].reply != nil }
        let unknown = history.indices.filter { history[$0].outcome == .unknown && history[$0].call != .get }
        let knownSteps = known.map { Step(history[$0], &states) }
        let isUseful = UnknownFilter.useful(unknown.map { Step(history[$0], &states) }, for: knownSteps, states)
        let schedule = Schedule(
            history, known: known, unknown: zip(unknown, isUseful).filter(\.1).map(\.0))
        let steps = schedule.operations.map { Step(history[$0], &states) }
        (self.history, self.initial, self.limit, self.schedule, self.steps) = (history, initial, limit, schedule, steps)
        chainable = (schedule.replied..<schedule.count).filter { !steps[$0].isBlind }
        open = OpenList(schedule.callOrder)
        isPlaced = Array(repeating: false, count: schedule.count)
        state = states.state(of: initial)
        self.states = states
        // Whole words for the slots, so that the unknown operations begin with a word of their own.
        unknownBits = Self.slotBits + 64 * ((schedule.slotCount + 63) / 64)
        let width = unknownBits / 64 + (schedule.count - schedule.replied + 63) / 64
        configuration = Array(repeating: 0, count: width)
        seen = ConfigurationSet(width: width, keyWidth: unknownBits / 64)
    }

    mutating func run() -> Verdict {
        placeReads()
        var tried: Int?
        while position < schedule.replied {
            if let candidate = candidate(after: tried) {
                tried = candidate
                effort += 1
                if seen.count > limit || effort / Self.effortPerConfiguration > limit {
                    return .undecided(configurations: seen.count)
                }
                guard tryNext(candidate) else { continue }
                tried = nil
            } else {
                evidence.note(position: position, unknown: unknownPlaced, path: path)
                guard let choice = takeBack() else { return .notLinearizable(violation()) }
                tried = choice
            }
        }
        return .linearizable(order: path.map { schedule.operations[Int($0.operation)] })
    }

    /// What may come next, one after the other: open operations in the order of their calls, then unknown ones.
    private func candidate(after tried: Int?) -> Int? {
        let deadline = schedule.returned[position]
        if tried ?? 0 < schedule.replied {
            if let next = tried.map({ open.next($0) }) ?? open.first, schedule.invoked[next] <= deadline { return next }
            return isAvailable(schedule.replied, deadline) ? schedule.replied : nil
        }
        return tried.map { $0 + 1 }.flatMap { isAvailable($0, deadline) ? $0 : nil }
    }

    private func isAvailable(_ unknown: Int, _ deadline: UInt64) -> Bool {
        unknown < schedule.count && schedule.invoked[unknown] <= deadline
    }

    /// Places the candidate and the reads that fit then, if that leads to a configuration not seen before.
    private mutating func tryNext(_ candidate: Int) -> Bool {
        let isUnknown = candidate >= schedule.replied
        if isUnknown, !isInTurn(candidate) { return false }
        guard let next = steps[candidate].next(from: state, &states) else { return false }
        if isUnknown {
            if next == state || (runStart != nil && steps[candidate].isBlind) { return false }
            guard isOfUse(candidate, leading: next) else { return false }
        } else if let runStart, steps[candidate].next(from: runStart, &states) == next {
            return false
        }
        place(candidate, next, isForced: false)
        placeReads()
        configuration[0] = UInt64(position) << 32 | UInt64(UInt32(bitPattern: state.number))
        configuration[1] = runStart.map { UInt64(UInt32(bitPattern: $0.number)) } ?? .max
        if position == schedule.replied || seen.insert(configuration) { return true }
        takeBack()
        return false
    }

    private func isInTurn(_ unknown: Int) -> Bool {
        !isPlaced[unknown] && schedule.twins[unknown - schedule.replied].map { isPlaced[$0] } ?? true
    }

    /// Whether an operation that may come next, or after further unknown ones, would see the value that the unknown
    /// operation leaves.
    private mutating func isOfUse(_ unknown: Int, leading next: State) -> Bool {
        let start = runStart ?? state
        if anyOpen({ step, states in
            let after = step.next(from: next, &states)
            return after != nil && after != step.next(from: start, &states)
        }) {
            return true
        }
        var reach = Reach(from: next)
        for other in chainable where other != unknown && !isPlaced[other] {
            guard isAvailable(other, schedule.returned[position]) else { break }
            reach.add(steps[other])
            effort += 1
        }
        return reach.mayReachSwap(states)
            || anyOpen { step, states in
                // A delete would have found the value before the run as well.
                if case .remove = step, start != .absent { return false }
                return reach.mayFit(step, states)
            }
    }

    /// Whether an operation with a reply that may come next meets the condition.
    private mutating func anyOpen(_ condition: (Step, inout States) -> Bool) -> Bool {
        let deadline = schedule.returned[position]
        var operation = open.first
        while let current = operation, schedule.invoked[current] <= deadline {
            if condition(steps[current], &states) { return true }
            operation = open.next(current)
        }
        return false
    }

    /// Places all reads that fit. It costs nothing: they change nothing, and would fit nowhere better.
    private mutating func placeReads() {
        var operation = open.first
        while let current = operation, position < schedule.replied,
            schedule.invoked[current] <= schedule.returned[position]
        {
            operation = open.next(current)
            if steps[current].isRead, steps[current].next(from: state, &states) != nil {
                place(current, state, isForced: true)
            }
        }
    }

    private mutating func place(_ operation: Int, _ next: State, isForced: Bool) {
        path.append(
            Placement(
                operation: Int32(operation), positionBefore: Int32(position), stateBefore: state,
                runStartBefore: runStart, isForced: isForced))
        let isUnknown = operation >= schedule.replied
        runStart = isUnknown ? runStart ?? state : nil
        state = next
        isPlaced[operation] = true
        flip(operation)
        if isUnknown {
            unknownPlaced += 1
            return
        }
        open.remove(operation)
        while position < schedule.replied, isPlaced[position] {
            flip(position)
            position += 1
        }
    }

    /// Takes back the latest choice with the reads that it brought.
    ///
    /// - Returns: the operation chosen; `nil` if nothing was left to take back.
    @discardableResult private mutating func takeBack() -> Int? {
        while let last = path.popLast() {
            let operation = Int(last.operation)
            while position > last.positionBefore {
                position -= 1
                flip(position)
            }
            flip(operation)
            isPlaced[operation] = false
            if operation >= schedule.replied { unknownPlaced -= 1 } else { open.restore(operation) }
            (state, runStart) = (last.stateBefore, last.runStartBefore)
            if !last.isForced {
                evidence.retreated(to: path.count)
                return operation
            }
        }
        evidence.retreated(to: 0)
        return nil
    }

    private mutating func flip(_ operation: Int) {
        let bit =
            operation < schedule.replied
            ? Self.slotBits + schedule.slots[operation] : unknownBits + operation - schedule.replied
        configuration[bit >> 6] ^= 1 << UInt64(bit & 63)
    }

    private func violation() -> Violation {
        let order = evidence.path.map { schedule.operations[Int($0)] }
        var register = Register(initial)
        for index in order { _ = register.apply(history[index].call) }
        let placed = Set(order)
        let deadline = schedule.returned[evidence.position]
        let culprit = schedule.operations[evidence.position]
        let others = schedule.callOrder.map { schedule.operations[$0] }.filter {
            $0 != culprit && history[$0].invoked <= deadline && !placed.contains($0)
        }
        return Violation(
            culprit: culprit, order: order, initial: initial, value: register.value,
            unplaced: [culprit] + others, configurations: seen.count)
    }
}
