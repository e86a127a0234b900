import Logging
import Raft
import RaftStorage

/// Turns damage that the other members can make good into an order for the next start, and the node's end into a new
/// beginning: see `SelfRepair`.
struct RepairFromPeers: Sendable {
    private let isOn: Bool
    private let repair: SelfRepair

    init(_ configuration: NodeConfiguration) {
        isOn = configuration.storage.repairFromPeers && configuration.storage.engine == .rocksdb
        repair = SelfRepair(
            directory: configuration.node.dataDir, maxPerHour: configuration.storage.maxRepairsPerHour)
    }

    /// Up to now.
    var history: RepairHistory { RepairHistory(times: repair.times) }

    /// The failure of a node that could not start.
    func arrange(_ failure: NodeFailure) -> NodeFailure {
        arrange(failure) { (loss) throws(SelfRepair.Refusal) in try repair.order(loss, at: Self.seconds) }
    }

    /// The failure of a node that runs, a member of `membership`.
    func arrange(_ failure: NodeFailure, of node: NodeID, in membership: Membership) -> NodeFailure {
        arrange(failure) { (loss) throws(SelfRepair.Refusal) in
            try repair.order(loss, at: Self.seconds, of: node, in: membership)
        }
    }

    private func arrange(
        _ failure: NodeFailure, _ order: (Repair.Loss) throws(SelfRepair.Refusal) -> Void
    ) -> NodeFailure {
        guard isOn, failure.code == .corruption, let loss = failure.damage else { return failure }
        var arranged = failure
        do throws(SelfRepair.Refusal) {
            try order(loss)
            arranged.restarts = true
            arranged.remedy = "\(loss.meaning), and the others make good for it"
        } catch {
            arranged.remedy = "\(error.sentence); \(failure.remedy)"
        }
        return arranged
    }

    /// Does what the process before this one ordered.
    ///
    /// - Parameter minFreeBytes: with less free on the disk the reserve goes first.
    func carryOut(_ logger: Logger, minFreeBytes: UInt64, _ announce: (String) -> Void) throws(NodeFailure) {
        guard isOn else { return }
        let outcome: SelfRepair.Outcome?
        do throws(StorageError) { outcome = try repair.carryOut(minFreeBytes: minFreeBytes, announce) } catch {
            throw NodeFailure(storage: error)
        }
        switch outcome {
        case nil: break
        case .done(let loss, let outcome)?:
            logger.error(
                "this node has repaired itself: \(loss.meaning); it counts for nothing until it has caught up",
                metadata: [
                    "raft.index": "\(outcome.last)", "raft.applied": "\(outcome.applied.index)",
                    "raft.term": "\(outcome.hardState.term)",
                ])
        case .moreIsDamaged(let reason)?:
            var failure = NodeFailure(.corruption, cause: reason, remedy: "more is given up")
            failure.restarts = true
            throw failure
        }
    }

    private static var seconds: UInt64 { SystemClock.wallMilliseconds() / 1000 }
}
