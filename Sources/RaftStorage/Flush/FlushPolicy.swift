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
    package var slackBytes: Int

    package init(_ configuration: StoreConfiguration) {
        maxBytes = configuration.maxUnflushedLogBytes
        maxEntries = configuration.maxUnflushedEntries
        maxAge = configuration.maxUnflushedAge
        minAgedBytes = configuration.minAgedBytes
        slackEntries = configuration.truncationSlackEntries
        slackBytes = configuration.truncationSlackBytes
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
    ///
    /// - Parameters:
    ///   - tailStart: Behind it lie the slack's bytes (`LogTail`).
    ///   - keepsSlack: False where room on the disk is worth more than either.
    package func truncation(
        durableApplied: LogIndex, lowestMatch: LogIndex, truncated: LogIndex, tailStart: LogIndex = .zero,
        keepsSlack: Bool = true
    ) -> LogIndex? {
        let possible = min(durableApplied, lowestMatch).rawValue
        let slack = keepsSlack ? UInt64(slackEntries) : 0
        // Cut at every flush by bytes: there are few entries, and so few flushes' worth of tombstones.
        let byBytes = LogIndex(min(possible, tailStart.rawValue))
        guard possible > slack else { return byBytes > truncated ? byBytes : nil }
        let byEntries = LogIndex(possible - slack)
        if byBytes > byEntries { return byBytes > truncated ? byBytes : nil }
        return byEntries.distance(from: truncated) > slack ? byEntries : nil
    }
}
