package import Raft

/// When to flush the state, and how far the log may be cut afterwards.
///
/// Flushing bounds what a restart has to replay and what the write-ahead log holds; cutting right after a flush keeps
/// entries from ever reaching an SST file.
package struct FlushPolicy: Hashable, Sendable {
    /// See `StoreConfiguration` for all of them.
    package var maxBytes: Int
    package var maxEntries: Int
    package var maxAge: Duration
    package var minAgedBytes: Int
    package var slackEntries: Int

    package init(_ configuration: StoreConfiguration) {
        maxBytes = configuration.maxUnflushedLogBytes
        maxEntries = configuration.maxUnflushedEntries
        maxAge = configuration.maxUnflushedAge
        minAgedBytes = configuration.minAgedBytes
        slackEntries = configuration.truncationSlackEntries
    }

    package enum Reason: String, Hashable, Sendable {
        case bytes, entries, age
    }

    /// Whether the state should be flushed now, and why.
    package func reasonToFlush(_ work: UnflushedWork, now: MonotonicTime) -> Reason? {
        if work.bytes > maxBytes { return .bytes }
        if work.entries > maxEntries { return .entries }
        guard let oldest = work.oldest, work.bytes >= minAgedBytes, now.since(oldest) > maxAge else { return nil }
        return .age
    }

    /// The index up to which the log should be cut, nil to leave it.
    ///
    /// Never beyond what is durable in the state, nor beyond what the group still needs of the log (`lowestMatch`, from
    /// the core: whoever is further behind gets a snapshot); and not for less than the slack, since each cut leaves a
    /// range tombstone.
    package func truncation(durableApplied: LogIndex, lowestMatch: LogIndex, truncated: LogIndex) -> LogIndex? {
        let possible = min(durableApplied, lowestMatch).rawValue
        let slack = UInt64(slackEntries)
        guard possible > slack else { return nil }
        let target = LogIndex(possible - slack)
        return target.distance(from: truncated) > slack ? target : nil
    }
}
