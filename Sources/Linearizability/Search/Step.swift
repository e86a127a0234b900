/// An operation made ready for the search: a question to the register's value, answered by comparing numbers.
enum Step: Sendable {
    /// A get; a delete that found nothing.
    case read(State)
    /// A compare-and-set that did not hold.
    case readOther(than: State)
    /// An increment that found text, or that would have overflowed.
    case readText
    case readOverflow(delta: Int64)
    /// A set; a delete of unknown outcome.
    case write(State)
    /// A delete that found a value.
    case remove
    /// A compare-and-set that held, or of unknown outcome: then it matters only where it holds.
    case swap(State, State)
    /// An increment that answered: it found the number before, or nothing if that is 0.
    case count(from: State, orAbsent: Bool, to: State)
    /// An increment of unknown outcome.
    case add(Int64)
    /// An append; `nil`: of unknown outcome.
    case append([UInt8], length: Int?)
    /// A reply that this call can never have.
    case never

    /// The value after the step; `nil` if it can't be taken here.
    func next(from state: State, _ states: inout States) -> State? {
        switch self {
        case .read(let value): state == value ? state : nil
        case .readOther(let value): state != value ? state : nil
        case .readText: states.integer(state) == nil ? state : nil
        case .readOverflow(let delta):
            states.integer(state) != nil && states.adding(delta, to: state) == nil ? state : nil
        case .write(let value): value
        case .remove: state == .absent ? nil : .absent
        case .swap(let old, let new): state == old ? new : nil
        case .count(let old, let orAbsent, let new): state == old || (orAbsent && state == .absent) ? new : nil
        case .add(let delta): states.adding(delta, to: state)
        case .append(let suffix, let length):
            length.map { $0 == states.length(of: state) + suffix.count } ?? true
                ? states.extending(state, by: suffix) : nil
        case .never: nil
        }
    }

    /// Whether the step leaves every value as it is: where it fits it can be taken at once.
    var isRead: Bool {
        switch self {
        case .read, .readOther, .readText, .readOverflow: true
        case .write, .remove, .swap, .count, .add, .append, .never: false
        }
    }

    /// Whether the step does the same to every value: what stood there before is never seen.
    var isBlind: Bool {
        if case .write = self { true } else { false }
    }
}

extension Step {
    /// - Precondition: the operation may have taken effect.
    init(_ operation: Operation, _ states: inout States) {
        if let reply = operation.reply {
            self.init(operation.call, reply, &states)
        } else {
            self.init(unknown: operation.call, &states)
        }
    }

    private init(_ call: Register.Call, _ reply: Register.Reply, _ states: inout States) {
        switch (call, reply) {
        case (.get, .value(let value)):
            self = .read(states.state(of: value))
        case (.set(let value), .done):
            self = .write(states.state(of: value))
        case (.delete, .deleted(let existed)):
            self = existed ? .remove : .read(.absent)
        case (.append(let suffix), .length(let length)):
            self = .append(suffix.bytes, length: length)
        case (.increment(let delta), .number(let sum)):
            let (before, overflowed) = sum.subtractingReportingOverflow(delta)
            self =
                overflowed
                ? .never
                : .count(
                    from: states.state(of: Register.Value(before)), orAbsent: before == 0,
                    to: states.state(of: Register.Value(sum)))
        case (.increment, .notAnInteger):
            self = .readText
        case (.increment(let delta), .overflow):
            self = .readOverflow(delta: delta)
        case (.compareAndSet(let expected, let new), .swapped(let held)):
            let old = states.state(of: expected)
            self = held ? .swap(old, states.state(of: new)) : .readOther(than: old)
        default:
            self = .never
        }
    }

    private init(unknown call: Register.Call, _ states: inout States) {
        switch call {
        case .get: preconditionFailure("a get without a reply says nothing and takes no part")
        case .set(let value): self = .write(states.state(of: value))
        case .delete: self = .write(.absent)
        case .append(let suffix): self = .append(suffix.bytes, length: nil)
        case .increment(let delta): self = .add(delta)
        case .compareAndSet(let expected, let new): self = .swap(states.state(of: expected), states.state(of: new))
        }
    }
}
