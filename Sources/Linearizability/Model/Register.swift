/// The specification that a history is checked against: one register with the values of a Redis string, used by one
/// client at a time. A store is linearizable if each of its keys behaves like one of these, at some moment between the
/// call and the reply of each operation (Herlihy and Wing, 1990; keys can be checked one by one by their locality
/// theorem).
public struct Register: Hashable, Sendable {
    /// `nil`: the key does not exist.
    public var value: Value?

    public init(_ value: Value? = nil) { self.value = value }

    /// Carries out the call and answers as a correct store would.
    public mutating func apply(_ call: Call) -> Reply {
        switch call {
        case .get:
            return .value(value)
        case .set(let new):
            value = new
            return .done
        case .delete:
            defer { value = nil }
            return .deleted(value != nil)
        case .append(let suffix):
            let joined = Value((value?.bytes ?? []) + suffix.bytes)
            value = joined
            return .length(joined.bytes.count)
        case .increment(let delta):
            guard let old = value.map(\.integer) ?? 0 else { return .notAnInteger }
            let (sum, overflowed) = old.addingReportingOverflow(delta)
            guard !overflowed else { return .overflow }
            value = Value(sum)
            return .number(sum)
        case .compareAndSet(let expected, let new):
            guard value == expected else { return .swapped(false) }
            value = new
            return .swapped(true)
        }
    }
}
