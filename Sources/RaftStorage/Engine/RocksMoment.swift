import RocksDB

/// One moment of the database, or the present, as the options of every kind of read: RocksDB takes both in one object,
/// and making one allocates.
final class RocksMoment: Sendable {
    let everything: ReadOptions
    let inMemory: ReadOptions
    /// Scans see far more than stays useful.
    let scanning: ReadOptions
    /// Reading a log or a state from end to end is rare and sequential: it must not evict what clients read.
    let scanningFar: ReadOptions

    /// The present, whenever that is.
    static let now = RocksMoment(nil)
    static let persisted = ReadOptions(tier: .persisted)
    private static let readaheadBytes = 2 << 20

    /// Nil: the present.
    init(_ snapshot: Snapshot?) {
        everything = ReadOptions(snapshot: snapshot)
        inMemory = ReadOptions(tier: .memory, snapshot: snapshot)
        scanning = ReadOptions(snapshot: snapshot, fillCache: false)
        scanningFar = ReadOptions(snapshot: snapshot, fillCache: false, readaheadBytes: Self.readaheadBytes)
    }
}
