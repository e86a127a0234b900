import RaftStorage

/// One look at the disk.
struct SpaceReading: Hashable, Sendable {
    var capacityBytes: UInt64
    /// What the file system says.
    var freeBytes: UInt64
    /// State in memory: it will be written, whatever else happens.
    var owedBytes: UInt64

    /// What a compaction may take before it gives anything back: on a small disk that is a good part of it.
    var scratchBytes: UInt64
    /// What the one that is under way has taken.
    var unfinishedBytes: UInt64

    /// The state is compacted in pieces; a piece and what overlaps it in the next level are not more.
    static let maxScratchBytes: UInt64 = 768 << 20

    /// What is left when everything owed is written.
    var roomBytes: UInt64 { freeBytes - min(freeBytes, owedBytes) }
    /// The same without compactions under way, so that it does not fall and rise with them.
    var lastingRoomBytes: UInt64 { freeBytes + unfinishedBytes - min(freeBytes + unfinishedBytes, owedBytes) }

    init(
        capacityBytes: UInt64, freeBytes: UInt64, owedBytes: UInt64, scratchBytes: UInt64 = 0,
        unfinishedBytes: UInt64 = 0
    ) {
        self.capacityBytes = capacityBytes
        self.freeBytes = freeBytes
        self.owedBytes = owedBytes
        self.scratchBytes = scratchBytes
        self.unfinishedBytes = unfinishedBytes
    }

    init(_ space: FileSystemSpace, _ statistics: StoreStatistics) {
        self.init(
            capacityBytes: space.capacityBytes, freeBytes: space.freeBytes, owedBytes: statistics.stateMemtableBytes,
            scratchBytes: min(statistics.stateTableBytes, Self.maxScratchBytes),
            unfinishedBytes: statistics.unfinishedTableBytes)
    }
}
