/// What the clients of a store saw, key by key.
///
/// Clients may each keep one of their own and merge them at the end: the order in which operations are recorded has no
/// meaning, only their times have.
public struct History: Sendable {
    private var byKey: [String: [Operation]] = [:]

    public init() {}

    /// Adds an operation on `key`.
    public mutating func record(_ operation: Operation, key: String) {
        byKey[key, default: []].append(operation)
    }

    /// Adds all of another client's operations.
    public mutating func merge(_ other: History) {
        byKey.merge(other.byKey, uniquingKeysWith: +)
    }

    /// In ascending order.
    public var keys: [String] { byKey.keys.sorted() }

    /// The operations on one key, as recorded.
    public subscript(key: String) -> [Operation] { byKey[key] ?? [] }

    /// Checks every key by itself, which is enough: linearizability is local. In the order of `keys`.
    ///
    /// Anything but `.linearizable` must fail a test; an undecided key proves nothing.
    public func check(with checker: LinearizabilityChecker = LinearizabilityChecker()) -> [KeyVerdict] {
        keys.map { KeyVerdict(key: $0, verdict: checker.check(self[$0])) }
    }

    /// The verdict on the operations of one key.
    public struct KeyVerdict: Hashable, Sendable {
        public var key: String
        public var verdict: Verdict
    }
}
