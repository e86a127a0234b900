/// The families of a node's records.
package enum FamilyName: Hashable, Sendable {
    /// The format record.
    case root
    /// Logs, hard states, truncation markers, commit hints.
    case raft
    /// The node's own records.
    case meta
    /// A generation of the state.
    case state(UInt64)

    /// The generation of a state's family, nil for other families.
    package var generation: UInt64? {
        if case .state(let generation) = self { generation } else { nil }
    }
}

extension FamilyName: Comparable {
    package static func < (a: FamilyName, b: FamilyName) -> Bool { a.rank < b.rank }

    private var rank: (Int, UInt64) {
        switch self {
        case .root: (0, 0)
        case .raft: (1, 0)
        case .meta: (2, 0)
        case .state(let generation): (3, generation)
        }
    }
}

/// As the data directory names them.
extension FamilyName: CustomStringConvertible {
    package var description: String {
        switch self {
        case .root: "default"
        case .raft: "raft"
        case .meta: "meta"
        case .state(let generation): "state.\(generation)"
        }
    }

    /// Nil for a name that is none of ours.
    init?(_ name: String) {
        switch name {
        case "default": self = .root
        case "raft": self = .raft
        case "meta": self = .meta
        default:
            guard name.hasPrefix("state."), let generation = UInt64(name.dropFirst("state.".count)) else { return nil }
            self = .state(generation)
        }
    }
}
