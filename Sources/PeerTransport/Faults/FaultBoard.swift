import Raft
import Synchronization

/// The `NetworkFaults` that all links of a transport look at.
///
/// Off, which it nearly always is, it costs one relaxed load for each batch of messages.
final class FaultBoard: Sendable {
    private let active = Atomic(false)
    private let state = Mutex(State())

    private struct State: Sendable {
        var faults = NetworkFaults()
        /// Counts `set`, so that dice notice that there is a new seed.
        var generation: UInt64 = 0
        var dropped: [NodeID: UInt64] = [:]
        var chunkDice: [Link: FaultDice] = [:]

        func law(_ peer: NodeID, _ direction: NetworkFaults.Direction) -> Law {
            Law(rule: faults.rule(peer, direction), seed: faults.seed, generation: generation)
        }
    }

    private struct Link: Hashable, Sendable {
        var peer: NodeID
        var direction: NetworkFaults.Direction
    }

    /// Whether anything is set for anyone.
    var isActive: Bool { active.load(ordering: .relaxed) }

    var faults: NetworkFaults { state.withLock { $0.faults } }

    func set(_ faults: NetworkFaults) {
        state.withLock { state in
            state.faults = faults
            state.generation += 1
            active.store(!faults.isEmpty, ordering: .relaxed)
        }
    }

    /// Whether that direction is cut; `.both` asks whether any of the two is.
    func cuts(_ peer: NodeID, _ direction: NetworkFaults.Direction) -> Bool {
        guard isActive else { return false }
        return state.withLock { state in
            switch direction {
            case .incoming, .outgoing: state.faults.rule(peer, direction).isCut
            case .both: state.faults.rule(peer, .incoming).isCut || state.faults.rule(peer, .outgoing).isCut
            }
        }
    }

    /// The rule for one direction, and what its dice start from.
    func law(_ peer: NodeID, _ direction: NetworkFaults.Direction) -> Law {
        state.withLock { $0.law(peer, direction) }
    }

    struct Law: Sendable {
        var rule: NetworkFaults.Rule
        var seed: UInt64
        var generation: UInt64
    }

    /// What becomes of the next chunk of a snapshot from (`.incoming`) or to (`.outgoing`) that peer.
    ///
    /// These dice outlive connections: a dropped chunk ends its connection, and with dice that begin again on the next one the
    /// same chunk would be dropped for ever.
    func rollChunk(_ peer: NodeID, _ direction: NetworkFaults.Direction) -> FaultDice.Fate {
        state.withLock { state in
            let law = state.law(peer, direction)
            let link = Link(peer: peer, direction: direction)
            return state.chunkDice[link, default: FaultDice(peer: peer, direction: direction)].roll(law)
        }
    }

    func countDropped(_ count: Int, peer: NodeID) {
        guard count > 0 else { return }
        state.withLock { $0.dropped[peer, default: 0] += UInt64(count) }
    }

    func describe(into statistics: inout PeerTransportStatistics) {
        state.withLock { state in
            for index in statistics.peers.indices {
                statistics.peers[index].droppedByFaults = state.dropped[statistics.peers[index].node] ?? 0
            }
        }
    }
}
