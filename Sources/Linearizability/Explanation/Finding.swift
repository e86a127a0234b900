/// What an operation's reply says about the register.
enum Finding: Hashable, Sendable {
    /// It found one of these values; only an increment that answered its own step knows two, 0 and none.
    case oneOf([Register.Value?])
    /// It says less, or nothing.
    case other

    init(_ operation: Operation) {
        switch (operation.call, operation.reply) {
        case (.get, .value(let value)): self = .oneOf([value])
        case (.delete, .deleted(false)): self = .oneOf([nil])
        case (.compareAndSet(let expected, _), .swapped(true)): self = .oneOf([expected])
        case (.increment(let delta), .number(let sum)):
            let (before, overflowed) = sum.subtractingReportingOverflow(delta)
            self = overflowed ? .other : .oneOf(before == 0 ? [0, nil] : [Register.Value(before)])
        default: self = .other
        }
    }
}

extension Operation {
    /// Whether the operation may have left one of the values in the register, having changed it.
    func mayLeave(_ values: [Register.Value?]) -> Bool {
        if outcome == .notApplied || reply?.saysUnchanged == true { return false }
        return couldLeave(values)
    }

    /// As `mayLeave`, whatever the outcome.
    func couldLeave(_ values: [Register.Value?]) -> Bool {
        switch call {
        case .get: return false
        case .set(let new), .compareAndSet(_, let new): return values.contains(new)
        case .delete: return values.contains(nil)
        case .increment:
            if case .number(let sum) = reply { return values.contains(Register.Value(sum)) }
            return values.contains { $0?.integer != nil }
        case .append(let suffix):
            return values.contains { value in
                guard let bytes = value?.bytes, bytes.suffix(suffix.bytes.count).elementsEqual(suffix.bytes) else {
                    return false
                }
                if case .length(let length) = reply { return bytes.count == length }
                return true
            }
        }
    }

    /// A value that the register certainly held at some moment between call and reply; `.some(nil)`: it did not exist.
    var shownValue: Register.Value?? {
        switch (call, reply) {
        case (.get, .value(let value)): value
        case (.set(let value), .done): .some(value)
        case (.compareAndSet(_, let new), .swapped(true)): .some(new)
        case (.increment, .number(let sum)): .some(Register.Value(sum))
        case (.delete, .deleted): .some(nil)
        default: nil
        }
    }
}
