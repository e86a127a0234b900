/// A register's value as a small number: equal values have equal numbers.
struct State: Hashable, Sendable {
    var number: Int32

    static let absent = State(number: 0)
    static let empty = State(number: 1)
}

/// All values that a search meets, as a tree with a byte on each branch. A value that grows by ten thousand appends takes
/// no more room than its longest form, and comparing two values is comparing two numbers.
struct States: Sendable {
    private struct Node: Sendable {
        var parent: State
        var byte: UInt8
        var length: Int32
        /// What an increment would find here; `nil`: text.
        var integer: Int64?
    }

    private struct Sum: Hashable, Sendable {
        var state: State
        var delta: Int64
    }

    /// Characters of the longest Int64. Whether a longer value is a number needs no look at it.
    private let longestInteger = 20
    private var nodes: [Node]
    /// By parent and byte.
    private var children: [UInt64: State] = [:]
    /// Sums already made.
    private var sums: [Sum: State] = [:]

    init() {
        // Neither the absent nor the empty value hangs on a branch.
        nodes = [
            Node(parent: .absent, byte: 0, length: 0, integer: 0),
            Node(parent: .absent, byte: 0, length: 0, integer: nil),
        ]
    }

    mutating func state(of value: Register.Value?) -> State {
        value.map { extending(.empty, by: $0.bytes) } ?? .absent
    }

    /// What an append makes of the value.
    mutating func extending(_ state: State, by suffix: [UInt8]) -> State {
        var end = state == .absent ? .empty : state
        for byte in suffix { end = child(of: end, byte) }
        return end
    }

    /// In bytes; an absent value has none.
    func length(of state: State) -> Int { Int(nodes[Int(state.number)].length) }

    /// What an increment makes of the value; `nil` if it would be refused.
    mutating func adding(_ delta: Int64, to state: State) -> State? {
        guard let (sum, overflowed) = integer(state)?.addingReportingOverflow(delta), !overflowed else { return nil }
        if let known = sums[Sum(state: state, delta: delta)] { return known }
        let new = self.state(of: Register.Value(sum))
        sums[Sum(state: state, delta: delta)] = new
        return new
    }

    /// The number that an increment finds; `nil` if it finds text.
    func integer(_ state: State) -> Int64? {
        nodes[Int(state.number)].integer
    }

    /// Whether the value begins with all of `prefix`; an absent one counts as empty.
    func isPrefix(_ prefix: State, of state: State) -> Bool {
        guard prefix != .absent, prefix != .empty else { return true }
        var ancestor = state
        while length(of: ancestor) > length(of: prefix) { ancestor = nodes[Int(ancestor.number)].parent }
        return ancestor == prefix
    }

    /// All that the value begins with, from itself to the empty value and to none.
    func prefixes(of state: State) -> [State] {
        var prefixes: [State] = []
        var rest = state
        while rest != .absent {
            prefixes.append(rest)
            rest = nodes[Int(rest.number)].parent
        }
        return prefixes + [.absent]
    }

    private func value(of state: State) -> Register.Value? {
        guard state != .absent else { return nil }
        var bytes: [UInt8] = []
        var rest = state
        while rest != .empty {
            bytes.append(nodes[Int(rest.number)].byte)
            rest = nodes[Int(rest.number)].parent
        }
        return Register.Value(bytes.reversed())
    }

    private mutating func child(of parent: State, _ byte: UInt8) -> State {
        let branch = UInt64(parent.number) << 8 | UInt64(byte)
        if let known = children[branch] { return known }
        let new = State(number: Int32(nodes.count))
        nodes.append(Node(parent: parent, byte: byte, length: nodes[Int(parent.number)].length + 1, integer: nil))
        nodes[Int(new.number)].integer = length(of: new) <= longestInteger ? value(of: new)?.integer : nil
        children[branch] = new
        return new
    }
}
