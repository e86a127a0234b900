import PeerTransport

/// Tells ample, low and full apart: down at once, up only when a quarter more than the limit is free, so that what is
/// refused does not change with every write.
///
/// Pure: no clock, no I/O.
struct SpaceGauge {
    private(set) var level = Room.Level.ample

    /// Takes note of how much room is left.
    ///
    /// - Parameters:
    ///   - room: at this moment.
    ///   - lasting: when compactions that are under way have ended; nil: the same.
    /// - Returns: whether the level changed.
    mutating func take(room: UInt64, lasting: UInt64? = nil, _ limits: SpaceLimits) -> Bool {
        let old = level
        level = Self.level(
            room, lasting ?? room, critical: level == .full ? Self.raised(limits.criticalFree) : limits.criticalFree,
            low: level == .ample ? limits.minFree : Self.raised(limits.minFree))
        return level != old
    }

    private static func level(_ room: UInt64, _ lasting: UInt64, critical: UInt64, low: UInt64) -> Room.Level {
        if room < critical { return .full }
        return lasting < low ? .low : .ample
    }

    private static func raised(_ limit: UInt64) -> UInt64 { limit + limit / 4 }
}
