import ByteCoding
import KeyValue
import Raft

/// A node's log, state and metadata as records, whichever engine keeps their bytes: what `NodeStore` works with.
protocol RecordStore: Sendable {
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

    /// Gives `body` all pairs of a group's state, ascending, as of the moment of the call. Writes go on meanwhile.
    func scanState(
        of group: GroupID,
        _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) throws(StorageError) -> Void
    ) throws(StorageError)
    /// The state as it is now, for a look at it later. Only the applier's thread may call it, or whoever runs in its turn.
    func stateMoment() -> StateMoment
    /// Gives `body` the pairs of that moment with `lower <= key < upper`, ascending, until it returns false.
    ///
    /// - Returns: false: a snapshot has replaced that state since; nothing of it can be read any more.
    func scanState(
        at moment: StateMoment, from lower: Bytes, to upper: Bytes,
        _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool
    ) throws(StorageError) -> Bool
    /// Exchanges the whole state for what `fill` puts, and the log of `group`, cut off at `truncated`, for an empty one
    /// behind `id`: durably, and after a crash at any moment either wholly or not at all. Nothing else writes meanwhile;
    /// readers go on.
    func replaceState(
        of group: GroupID, at id: EntryID, truncated: EntryID,
        _ fill: (any FamilyLoader) throws(StorageError) -> Void
    ) throws(StorageError)

    /// What `flushLog` would look at, most of it cut off by now.
    var unflushedLogBytes: UInt64 { get }
    /// Makes the log durable as table files, so that the write-ahead log can go.
    func flushLog() throws(StorageError)
    /// Rewrites the state without what is obsolete, until that is done or `cancelCompaction` is called.
    func compactState()
    /// The same for the log.
    func compactLog()
    /// Ends the compaction that is under way; none begins before `allowCompaction`.
    func cancelCompaction() throws(StorageError)
    func allowCompaction()
    /// Whether the engine compacts by itself.
    func setCompactsByItself(_ isOn: Bool) throws(StorageError)

    /// How many errors there were in what the engine does by itself. Cheap.
    var backgroundErrors: UInt64 { get }
    /// Throws what has made the engine stop, if anything has; changes nothing.
    func checkEngine() throws(StorageError)
    /// The error with what is damaged, where only the engine can tell.
    func locate(_ error: StorageError) -> StorageError

    func statistics() -> StoreStatistics
    /// The engine's own account of itself, for experts; nil if it has none.
    func report() -> String?

    /// Closes in an orderly way; the state is flushed already.
    func close() throws(StorageError)
    /// Lets everything stand as it is, for a process that is about to end.
    func abandon()
}
