import Raft

@testable import RaftStorage

extension NodeStore {
    /// An empty store of one node that keeps nothing on a disk, with a group that is recovered.
    static func inMemory(_ group: GroupID, founders: Membership) throws -> NodeStore {
        var configuration = StoreConfiguration(
            directory: "", node: NodeID(1), clusterName: "roost", founders: [NodeID(1)])
        configuration.engine = .memory
        let store = try NodeStore.open(configuration)
        _ = try store.recover(group, founders: founders) { (_) throws(StorageError) in }
        return store
    }
}
