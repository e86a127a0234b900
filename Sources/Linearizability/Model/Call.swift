extension Register {
    /// What a client asked for.
    public enum Call: Hashable, Sendable {
        case get
        case set(Value)
        case delete
        /// A key that does not exist is made.
        case append(Value)
        /// A key that does not exist counts as 0. A value that is no integer, or a sum beyond 64 bits, changes nothing.
        case increment(by: Int64)
        /// `SET key new IFEQ expected`; with `nil`, `SET key new NX`.
        case compareAndSet(expected: Value?, new: Value)
    }

    /// What the client was answered.
    public enum Reply: Hashable, Sendable {
        /// Of a get; `nil`: there is no such key.
        case value(Value?)
        /// Of a set.
        case done
        /// Of a delete: whether the key existed.
        case deleted(Bool)
        /// Of an append: the new length, in bytes.
        case length(Int)
        /// Of an increment: the new number.
        case number(Int64)
        /// Of a compare-and-set: whether it took place.
        case swapped(Bool)
        /// Of an increment that changed nothing, because the value is not one of Redis' integers.
        case notAnInteger
        /// Of an increment that changed nothing, because the sum would not fit into 64 bits.
        case overflow

        /// Whether an operation that is answered so has left the register as it was.
        public var saysUnchanged: Bool {
            switch self {
            case .value, .deleted(false), .swapped(false), .notAnInteger, .overflow: true
            case .done, .deleted(true), .length, .number, .swapped(true): false
            }
        }
    }
}

extension Register.Call: CustomStringConvertible {
    /// As a label: `set 5`, `compare-and-set 5 → 7`.
    public var description: String {
        switch self {
        case .get: "get"
        case .set(let value): "set \(value)"
        case .delete: "delete"
        case .append(let suffix): "append \(suffix)"
        case .increment(let delta): "increment by \(delta)"
        case .compareAndSet(let expected, let new): "compare-and-set \(Register.text(expected)) → \(new)"
        }
    }
}

extension Register.Reply: CustomStringConvertible {
    public var description: String {
        switch self {
        case .value(let value): Register.text(value)
        case .done: "ok"
        case .deleted(let existed): existed ? "deleted" : "nothing to delete"
        case .length(let count): "length \(count)"
        case .number(let number): "\(number)"
        case .swapped(let held): held ? "swapped" : "not equal"
        case .notAnInteger: "not an integer"
        case .overflow: "overflow"
        }
    }
}

extension Register {
    /// A value as people read it; `nil` for a key that does not exist, as in Redis.
    static func text(_ value: Value?) -> String { value?.description ?? "nil" }
}
