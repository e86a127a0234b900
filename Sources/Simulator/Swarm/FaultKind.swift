/// The kinds of trouble that a run may have. Each seed draws which exist at all (swarm testing: Groce et al., 2012): a run
/// with few kinds goes deeper into each than one with a little of everything.
package enum FaultKind: String, CaseIterable, Hashable, Sendable {
    // Links
    case loss, duplication, reordering, capacity, clog
    // Partitions
    case partition, oneWay = "one-way", bridge, isolatedLeader = "isolated-leader", partial
    // Nodes
    case crash, pause
    // Clocks
    case drift, jump
    // Disks
    case slowDisk = "slow-disk", stalledDisk = "stalled-disk", failedSync = "failed-sync", fullDisk = "full-disk"
    case corruption, lostDisk = "lost-disk"
    // The cluster's own changes, which are no faults but make them harder
    case membership, transfer, compaction
    // Rare but legal choices of the shell
    case buggify
    // More writes at once than a node can take
    case flood
}

/// Which kinds of trouble a run has.
package struct FaultSet: Hashable, Sendable {
    private var bits: UInt32 = 0

    package init() {}

    package init(_ kinds: some Sequence<FaultKind>) { for kind in kinds { insert(kind) } }

    package static let all = FaultSet(FaultKind.allCases)

    package func contains(_ kind: FaultKind) -> Bool { bits & Self.bit(of: kind) != 0 }
    package mutating func insert(_ kind: FaultKind) { bits |= Self.bit(of: kind) }
    package mutating func remove(_ kind: FaultKind) { bits &= ~Self.bit(of: kind) }
    package func intersection(_ other: FaultSet) -> FaultSet {
        FaultSet(FaultKind.allCases.filter { contains($0) && other.contains($0) })
    }

    /// Those that are in the set, in the order of their declaration.
    package var kinds: [FaultKind] { FaultKind.allCases.filter(contains) }

    private static func bit(of kind: FaultKind) -> UInt32 {
        guard let place = FaultKind.allCases.firstIndex(of: kind) else { preconditionFailure("\(kind)") }
        return 1 << UInt32(place)
    }
}

extension FaultSet: CustomStringConvertible {
    package var description: String {
        let kinds = kinds
        if kinds.isEmpty { return "none" }
        return kinds.count == FaultKind.allCases.count ? "all" : kinds.map(\.rawValue).joined(separator: ",")
    }
}
