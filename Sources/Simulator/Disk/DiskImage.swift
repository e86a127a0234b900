import KeyValue
import RaftStorage

/// The families of a disk at one moment. Trees share what they have in common, so that a copy costs nothing.
struct DiskImage: Sendable {
    private var root: OrderedTree?
    private var raft: OrderedTree?
    private var meta: OrderedTree?
    /// Ascending by generation; hardly ever more than two.
    private var states: [State] = []

    private struct State {
        var generation: UInt64
        var tree: OrderedTree
    }

    var names: [FamilyName] {
        let fixed: [(FamilyName, OrderedTree?)] = [(.root, root), (.raft, raft), (.meta, meta)]
        return fixed.compactMap { $1 == nil ? nil : $0 } + states.map { .state($0.generation) }
    }

    /// The state of the newest generation.
    var newestState: OrderedTree? { states.last?.tree }

    /// `nil`: there is no such family.
    subscript(name: FamilyName) -> OrderedTree? {
        get {
            switch name {
            case .root: root
            case .raft: raft
            case .meta: meta
            case .state(let generation): states.first { $0.generation == generation }?.tree
            }
        }
        set {
            switch name {
            case .root: root = newValue
            case .raft: raft = newValue
            case .meta: meta = newValue
            case .state(let generation): setState(generation, newValue)
            }
        }
    }

    private mutating func setState(_ generation: UInt64, _ tree: OrderedTree?) {
        if let place = states.firstIndex(where: { $0.generation == generation }) {
            if let tree { states[place].tree = tree } else { states.remove(at: place) }
        } else if let tree {
            states.append(State(generation: generation, tree: tree))
            states.sort { $0.generation < $1.generation }
        }
    }

    /// Carries the change out, if its family is there.
    mutating func apply(_ change: RecordedBatch.Change) {
        switch change.family {
        case .root: root?.apply(change)
        case .raft: raft?.apply(change)
        case .meta: meta?.apply(change)
        case .state(let generation):
            if let place = states.firstIndex(where: { $0.generation == generation }) {
                states[place].tree.apply(change)
            }
        }
    }

    /// Takes everything but the states from another image.
    mutating func takeRecords(of other: DiskImage) {
        root = other.root
        raft = other.raft
        meta = other.meta
    }

    /// Takes families that are not there from another image, and gives those up that the other has not.
    mutating func alignFamilies(with other: DiskImage) {
        for name in names where other[name] == nil { self[name] = nil }
        for name in other.names where self[name] == nil { self[name] = OrderedTree() }
    }
}
