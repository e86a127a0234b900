/// How much of the data directory's file system the node leaves free, in bytes.
struct SpaceLimits: Hashable, Sendable {
    /// Below it writes that grow the data are refused, so that deleting, flushing and compacting still have room: what is
    /// configured, or what a compaction takes, whichever is more.
    var minFree: UInt64
    /// Below it nothing enters the log.
    var criticalFree: UInt64
    /// Size of the file that gives a start on a full disk its room.
    var reserve: UInt64

    /// Five per cent, but 2 GiB are always enough.
    private static let maxAutomaticMinFree: UInt64 = 2 << 30
    private static let maxAutomaticReserve: UInt64 = 1 << 30

    /// - Parameter scratch: what a compaction may take, until it gives back what it has replaced.
    init(_ storage: NodeConfiguration.Storage, capacityBytes: UInt64, scratch: UInt64 = 0) {
        let wanted = storage.minFreeBytes.value(or: min(capacityBytes / 20, Self.maxAutomaticMinFree))
        criticalFree = storage.criticalFreeBytes.value(or: wanted / 4)
        reserve = storage.reserveBytes.value(or: min(wanted / 2, Self.maxAutomaticReserve))
        minFree = wanted == 0 ? 0 : max(wanted, scratch + scratch / 8 + criticalFree)
    }

    /// Log that may wait for a flush of the state. What is applied again at a start has to be written once more: on a
    /// full disk, into the reserve.
    func maxUnflushedLogBytes(atMost configured: Int) -> Int {
        guard reserve > 0 else { return configured }
        return min(configured, max(Int(clamping: reserve / 2), 256 << 10))
    }

    /// Below so much the node gives back what it can, before it has to refuse anything.
    var pressed: UInt64 { minFree.multipliedReportingOverflow(by: 2).partialValue }
}

extension ByteLimit {
    fileprivate func value(or automatic: UInt64) -> UInt64 {
        switch self {
        case .automatic: automatic
        case .bytes(let count): UInt64(count)
        }
    }
}
