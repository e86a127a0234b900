import Raft
import RaftStorage

/// Makes a received snapshot this node's state. Used by the log writer, when the applier has nothing to do.
struct SnapshotInstaller: Sendable {
    let group: GroupID
    let store: NodeStore
    let machine: StateMachine
    let traffic: SnapshotTraffic

    /// Replaces state and log, durably.
    ///
    /// - Returns: what the consensus thread is told.
    func install(_ meta: SnapshotMeta) throws(StorageError) -> ConsensusEvent {
        guard let snapshot = traffic.take(meta) else {
            throw StorageError(.invariant, "the snapshot at \(meta.id) is to be installed, but was not received")
        }
        try store.install(snapshot)
        guard let position = try store.appliedPosition(group), position.id == meta.id else {
            throw StorageError(.corruption, "the state of the snapshot at \(meta.id) does not say that it is applied")
        }
        machine.replaced(by: ClusterPosition(membership: position.membership, directory: position.directory))
        return .snapshotInstalled(meta, position.directory)
    }
}
