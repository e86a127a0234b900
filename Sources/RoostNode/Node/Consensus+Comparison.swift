import ByteCoding
import KeyValue
import Logging
import PeerTransport
import Raft
import RaftStorage

/// Replicas at the same index hold the same bytes, and check it: see `ReplicaComparison`.
extension Consensus {
    static func comparison(
        _ node: NodeID, _ group: GroupID, _ storage: NodeConfiguration.Storage
    ) -> ReplicaComparison? {
        guard storage.compareRateBytes > 0 else { return nil }
        let reading = Duration.seconds(storage.compareSliceBytes / storage.compareRateBytes)
        // A node that was started anew meanwhile knows of no question. Where passes follow one another closely, the next one is
        // as good as this answer.
        let grace = min(.seconds(30), max(storage.compareInterval, .seconds(3)))
        return ReplicaComparison(
            node: node, group: group, range: StateKey.contentRange(group: group.rawValue),
            limits: .init(
                interval: storage.compareInterval, sliceBytes: storage.compareSliceBytes,
                patience: reading * 3 + grace))
    }

    /// As a leader: draws conclusions and asks what comes next.
    func compareReplicas(at now: MonotonicTime) {
        guard comparison != nil else { return }
        guard core.role == .leader else {
            if comparison?.term != nil { comparison?.stopLeading() }
            return
        }
        if comparison?.term != core.term { comparison?.lead(core.term, at: now) }
        if comparison?.isLookDue(at: now) == true {
            comparison?.keepOnly(core.status.peers.filter(\.isActive).map(\.node), at: now)
        }
        if let event = comparison?.conclude(voters: core.membership.voters, at: now) { compared(event) }
        guard comparison?.isDue(at: now) == true else { return }
        let others = core.status.peers.filter(\.isActive).map(\.node)
        guard
            let request = comparison?.ask(
                others, at: core.lastIndex, alarm: parts.alarms.sentence(.difference), now: now)
        else { return }
        parts.metrics.comparisonRounds.add()
        // Nobody has applied more than this log holds, and what follows it is sent later: all can stop there.
        parts.transport.send(
            others.map { node in
                var copy = request
                copy.to = node
                return .comparisonRequest(copy)
            })
        take(request)
    }

    /// A question of this node's leader, which may be itself.
    func take(_ request: ComparisonRequest) {
        guard request.from == core.leader, request.term == core.term else { return }
        if request.from != parts.node { inherit(request.alarm) }
        let reader = parts.comparisonReader
        parts.applier.push(
            .mark(Applier.Mark(index: request.index) { $0 ? reader.reached(request) : reader.missed(request) }))
    }

    private func inherit(_ alarm: String) {
        guard alarm != parts.alarms.sentence(.difference) ?? "" else { return }
        if !alarm.isEmpty { parts.logger.error("the leader has compared the replicas: \(alarm)") }
        parts.alarms.set(.difference, alarm.isEmpty ? nil : alarm)
    }

    private func compared(_ event: ReplicaComparison.Event) {
        let metrics = parts.metrics
        switch event {
        case .passed:
            metrics.comparisonPasses.add()
            metrics.lastComparisonSeconds.add(
                Int(SystemClock.wallMilliseconds() / 1000) - metrics.lastComparisonSeconds.current)
            guard parts.alarms.sentence(.difference) != nil else { return }
            parts.logger.notice("the replicas hold the same again")
            parts.alarms.set(.difference, nil)
        case .differ(let difference):
            metrics.differences.add()
            parts.logger.error(
                "replicas differ: \(difference)",
                metadata: [
                    "raft.index": "\(difference.index)", "compare.astray": "\(difference.astray)",
                    "compare.key": "\(difference.key.map { KeyText.of($0) } ?? "unknown")",
                ])
            parts.alarms.set(.difference, "\(difference)")
        }
    }
}

/// A sentence for the log and for `roostctl status`.
extension ReplicaComparison.Difference: CustomStringConvertible {
    var description: String {
        let place = key.map { "first at the key \(Self.text($0))" } ?? "at a key that was written anew meanwhile"
        guard !astray.isEmpty else {
            return "the states of nodes \(Self.list(compared)) differ at entry \(index), \(place); "
                + "no majority says which is right: see docs/recovery.md"
        }
        let right = compared.filter { !astray.contains($0) }
        return
            "the state of node \(Self.list(astray)) differs from that of nodes \(Self.list(right)) at entry \(index), "
            + "\(place): stop it, and run roostd repair --drop-state there"
    }

    private static func list(_ nodes: [NodeID]) -> String { nodes.map { "\($0)" }.joined(separator: ",") }

    /// As users know it; what is no user's key, as it is stored.
    private static func text(_ key: Bytes) -> String {
        let (lower, upper) = StateKey.userRange(group: groupOf(key))
        guard key.count >= StateKey.userPrefixBytes, !(key < lower), key < upper else { return KeyText.of(key) }
        return KeyText.of(key.slice(StateKey.userPrefixBytes..<key.count))
    }

    private static func groupOf(_ key: Bytes) -> UInt64 {
        var reader = ByteReader(key)
        return (try? reader.u64BigEndian("group")) ?? 0
    }
}
