/// What operators watch, read in one go; all 0 for `StoreConfiguration.Engine.memory`.
package struct StoreStatistics: Hashable, Sendable {
    /// Files of the write-ahead log.
    package var walBytes: UInt64 = 0
    /// Memtables that aren't flushed yet.
    package var stateMemtableBytes: UInt64 = 0
    package var logMemtableBytes: UInt64 = 0
    /// SST files. Those of the log should stay near 0: more means that cutting comes too late (see
    /// `StoreConfiguration.logWriteBufferBytes`).
    package var stateTableBytes: UInt64 = 0
    /// RocksDB's estimate of how much of `stateTableBytes` is not overwritten or deleted.
    package var liveStateBytes: UInt64 = 0
    package var logTableBytes: UInt64 = 0
    /// SST files that a flush or a compaction is writing.
    package var unfinishedTableBytes: UInt64 = 0
    /// What compaction is behind with; writes slow down when it grows large.
    package var pendingCompactionBytes: UInt64 = 0
    /// Full memtables that wait to be flushed; writes stop when there are as many as buffers.
    package var stateImmutableMemtables: UInt64 = 0
    package var logImmutableMemtables: UInt64 = 0
    /// Background errors so far. Not every failed flush counts here.
    package var backgroundErrors: UInt64 = 0
    package var isWriteStopped = false
    /// Bytes a second that RocksDB throttles writes to; 0 = not throttled.
    package var delayedWriteRate: UInt64 = 0
    package var blockCacheBytes: UInt64 = 0
    /// RocksDB's estimate of the keys in the state, of all families of keys; overwritten keys count until compaction.
    package var estimatedStateKeys: UInt64 = 0
}
