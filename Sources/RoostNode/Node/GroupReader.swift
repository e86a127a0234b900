import KeyValue
import Raft
import RedisServer

/// Reads of one group's keys by the Redis door.
struct GroupReader<Store: StateStore>: KeyValueReading {
    let store: Store
    let group: GroupID
    let maxReplyBytes: Int

    func get<R>(
        _ key: UnsafeRawBufferPointer, tier: ReadTier, _ body: (UnsafeRawBufferPointer?) -> R
    ) throws(StateStoreError) -> R {
        try ReadCommand.withValue(of: key, in: store, group: group.rawValue, tier: tier, body)
    }

    func execute(_ command: ReadCommand, tier: ReadTier) throws(StateStoreError) -> Outcome {
        try command.run(on: store, group: group.rawValue, tier: tier, maxReplyBytes: maxReplyBytes)
    }
}
