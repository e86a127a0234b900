import ByteCoding
import KeyValue
import Raft

/// I17, I12 and I5 in the state machine: the state of every node at an index, however it came there (entry by entry, in
/// pages, again after a crash, by a snapshot), equals byte for byte that of a machine of the judge's own, which applies
/// each committed entry once and alone.
struct ReplicaEquality {
    /// How many of the latest indexes can be compared.
    private static let remembered = 2_048

    private let store = SimulatedState()
    private let machine: KeyValueMachine<SimulatedState>
    private let group: GroupID
    /// The reference state after each of the latest entries, the first after `oldest`.
    private var trees: [OrderedTree] = [OrderedTree()]
    private var oldest = LogIndex.zero
    private(set) var applied = LogIndex.zero
    private(set) var compared = 0

    init(group: GroupID) {
        self.group = group
        machine = KeyValueMachine(store: store, group: group.rawValue)
    }

    /// The next committed entry; those that are known already change nothing.
    mutating func apply(_ entry: Entry) throws(Violation) {
        guard entry.index > applied else { return }
        guard entry.index == applied.next else {
            throw Violation(.stateMachineSafety, "entry \(entry.id) is applied before \(applied.next) was by anyone")
        }
        let unit = ApplyUnit(
            position: Bytes(), index: entry.index.rawValue, payload: entry.kind == .normal ? entry.payload : nil)
        do throws(ApplyError) {
            try machine.apply([unit], settlingFor: 0, incarnation: 0) { _, _ in }
        } catch {
            throw Violation(.integrity, "entry \(entry.id) is committed and cannot be applied: \(error)")
        }
        applied = entry.index
        trees.append(store.tree)
        if trees.count > 2 * Self.remembered {
            trees.removeFirst(Self.remembered)
            oldest = LogIndex(oldest.rawValue + UInt64(Self.remembered))
        }
    }

    /// - Parameter invariant: what is broken if the states differ.
    mutating func compare(
        _ tree: OrderedTree, at index: LogIndex, of node: NodeID, _ invariant: Invariant
    ) throws(Violation) {
        guard index >= oldest, index <= applied else { return }
        compared += 1
        let mine = contents(of: trees[Int(index.rawValue - oldest.rawValue)])
        let theirs = contents(of: tree)
        guard mine != theirs else { return }
        let place = zip(mine, theirs).enumerated().first { $1.0 != $1.1 }?.offset ?? min(mine.count, theirs.count)
        throw Violation(
            invariant,
            """
            node \(node) at \(index): pair \(place) of \(theirs.count) is \(Self.describe(theirs, place)); it should be \
            \(Self.describe(mine, place)), of \(mine.count)
            """)
    }

    private struct Pair: Equatable {
        var key: Bytes
        var value: Bytes
    }

    private func contents(of tree: OrderedTree) -> [Pair] {
        let (lower, upper) = StateKey.contentRange(group: group.rawValue)
        var pairs: [Pair] = []
        tree.scan(from: lower, to: upper) { key, value in
            pairs.append(Pair(key: key, value: value))
            return true
        }
        return pairs
    }

    private static func describe(_ pairs: [Pair], _ place: Int) -> String {
        guard place < pairs.count else { return "nothing" }
        return "\(pairs[place].key.array) = \(pairs[place].value.array.prefix(64))"
    }
}
