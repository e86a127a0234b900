import ByteCoding
import KeyValue

/// What keeps a node's log, state and metadata.
protocol StorageEngine: Sendable {
    var log: any LogStore { get }
    var state: NodeState { get }

    /// A record of the metadata.
    func metadata(_ key: Bytes) throws(StorageError) -> Bytes?
    /// All records of the metadata, ascending by key.
    func allMetadata() throws(StorageError) -> [(key: Bytes, value: Bytes)]
    /// Durable on return.
    func setMetadata(_ key: Bytes, _ value: Bytes) throws(StorageError)

    /// A value of the state as it would be after a crash at this moment.
    func persistedState(_ key: Bytes) throws(StorageError) -> Bytes?
    /// Makes all of the state durable that was committed before the call.
    func flushState() throws(StorageError)

    func statistics() -> StoreStatistics
    /// The engine's own account of itself, for experts; nil if it has none.
    func report() -> String?

    /// Closes in an orderly way; the state is flushed already.
    func close() throws(StorageError)
    /// Lets everything stand as it is, for a process that is about to end.
    func abandon()
}
