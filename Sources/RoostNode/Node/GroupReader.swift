import KeyValue
import Raft
import RaftStorage
import RedisServer

/// Reads of one group's keys by the Redis door.
struct GroupReader: KeyValueReading {
    let state: NodeState
    let group: GroupID
    let maxReplyBytes: Int

    /// `ReadCommand.withValue`, spelled out for this one store: generic code would look its types up for each GET.
    func get(
        _ key: UnsafeRawBufferPointer, tier: ReadTier, _ body: (UnsafeRawBufferPointer?) -> Void
    ) throws(StateStoreError) {
        var failure: ValueFormatError?
        try StateKey.withUser(key, group: group.rawValue) { (key) throws(StateStoreError) in
            try state.withValue(of: key, tier: tier) { stored in
                guard let stored else { return body(nil) }
                do throws(ValueFormatError) { body(try ValueHeader.decode(stored).value) } catch { failure = error }
            }
        }
        if let failure { throw StateStoreError(.corruption, failure.description) }
    }

    func execute(_ command: ReadCommand, tier: ReadTier) throws(StateStoreError) -> Outcome {
        try command.run(on: state, group: group.rawValue, tier: tier, maxReplyBytes: maxReplyBytes)
    }
}
