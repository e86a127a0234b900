import RaftStorage
import Synchronization

/// Whether RocksDB gets on with flushes and compactions while writes wait for them. On a slow disk that may take long, and
/// a node that is ended meanwhile has to begin them anew.
final class CompactionBacklog: Sendable {
    private struct Sizes: Hashable, Sendable {
        var unfinished: UInt64
        var state: UInt64
        var log: UInt64
    }

    private let last = Mutex<Sizes?>(nil)

    /// Table files have grown, come or gone since the last call.
    func isWorkedOff(_ statistics: StoreStatistics) -> Bool {
        let sizes = Sizes(
            unfinished: statistics.unfinishedTableBytes, state: statistics.stateTableBytes,
            log: statistics.logTableBytes)
        return last.withLock { last in
            defer { last = sizes }
            return last != sizes
        }
    }
}
