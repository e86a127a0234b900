/// What the logs of all members may lose.
extension RaftCore {
    /// Leader: everything up to here is either on every member, or so far back that the members who lack it are better
    /// off with a snapshot. Whoever is down counts like everybody else: it may come back.
    var truncationLimit: LogIndex {
        var limit = persistence.durableIndex
        var cap = tailStart(allowances: 1)
        for peer in peers {
            limit = min(limit, peer.dispensableIndex)
            if peer.isAwaitingSnapshot, isActive(peer) {
                cap = min(cap, max(peer.dispensableIndex, tailStart(allowances: Self.allowancesDuringSnapshot)))
            }
        }
        return max(limit, min(cap, log.commitIndex))
    }

    /// While a live follower gets a snapshot, so much more of the log may stay as its continuation: else a snapshot that
    /// takes longer than the log takes to grow by one allowance would be useless on arrival, and so would the next.
    private static let allowancesDuringSnapshot = 4

    /// The log behind this index is as long as the settings allow for the sake of members that lag.
    private func tailStart(allowances: Int) -> LogIndex {
        let last = log.lastIndex.rawValue
        let entries = configuration.maxRetainedEntries.multipliedReportingOverflow(by: allowances)
        let bytes = configuration.maxRetainedBytes.multipliedReportingOverflow(by: allowances)
        let byEntries = last - min(last, UInt64(clamping: entries.overflow ? .max : entries.partialValue))
        return max(LogIndex(byEntries), log.sizes.lastIndex(leaving: bytes.overflow ? .max : bytes.partialValue))
    }

    mutating func compacted(through id: EntryID) {
        guard id.index > log.base.index else { return }
        guard id.index <= log.appliedIndex, log.term(at: id.index) == id.term else {
            return violate(.cutTooFar, "log cut through \(id), but only \(log.appliedIndex) is applied")
        }
        log.compact(through: id)
        truncatableIndex = max(truncatableIndex, id.index)
    }
}
