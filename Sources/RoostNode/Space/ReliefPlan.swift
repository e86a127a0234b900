import PeerTransport
import Raft

/// What a node that is short of room can do about it by itself, and when that is worth it.
///
/// Pure: no clock, no I/O.
struct ReliefPlan {
    enum Step: Hashable, Sendable {
        /// From now on the database compacts when it likes to, or only when it is told to.
        case resumeCompactions, pauseCompactions
        /// Finished snapshots for others: they can be made again.
        case dropSnapshots
        /// The database from before a repair, where the node is trusted all the same.
        case dropCopyBeforeRepair
        /// After it the log can be cut.
        case flushState
        /// After a cut: gives back the write-ahead log that holds what was cut.
        case flushLog
        /// After a cut that came too late for that: gives back the tables with what was cut.
        case compactLog
        /// Gives back what was overwritten and deleted.
        case compactState
    }

    struct Situation {
        var picture: SpaceBoard.Picture
        var walBytes: UInt64
        /// The log's tables.
        var logTableBytes: UInt64
        /// Of the state's tables, what was overwritten or deleted: an estimate.
        var obsoleteBytes: UInt64
        /// Of the database from before a repair, where nobody can need it any more.
        var idleCopyBytes: UInt64 = 0
        /// `SpaceBoard.cuts` now.
        var cuts: Int
        /// `NodeMetrics.removals` now: each leaves something to compact away.
        var removals: UInt64
        var now: MonotonicTime
    }

    /// Smaller gains are not worth a file.
    private static let minGain: UInt64 = 1 << 20
    /// As long after a start what an earlier process left of the log is cut, if it is.
    private static let settlingTime = Duration.seconds(2)
    /// Deletions come in rows: the last one is waited for, but not for ever.
    private static let quietTime = Duration.milliseconds(500)
    private static let longestRow = Duration.seconds(5)
    /// Compactions take at most half of the time: clients wait for what they give back.
    private static let pausePerCompaction = 1

    /// What lies unfinished for longer is not being worked at.
    private static let longestCompaction = Duration.seconds(60)

    /// As the database was opened.
    private var compactsByItself = false
    private var pressedSince: MonotonicTime?
    /// Nil: not flushed yet.
    private var cutsAtLogFlush: Int?
    private var cutsAtLogCompaction = 0
    private var low: LowPeriod?
    private var nextCompaction = MonotonicTime.zero
    /// The database writes tables by itself; nil: it does not.
    private var othersSince: MonotonicTime?

    private struct LowPeriod {
        var hasCompacted = false
        /// Removals that a compaction has dealt with, or that came before room was low.
        var removalsDone: UInt64
        var lastRemovals: UInt64
        var lastChange: MonotonicTime
        /// Of the row of removals that was not compacted away yet.
        var rowBegan: MonotonicTime?
    }

    /// What is to be done now; it counts as done.
    mutating func next(_ situation: Situation) -> [Step] {
        let (picture, now) = (situation.picture, situation.now)
        let (reading, limits) = (picture.reading, picture.limits)
        var steps = atNewLevel(picture.level, room: reading.roomBytes)
        guard reading.lastingRoomBytes < limits.pressed else {
            self = ReliefPlan(after: self)
            return steps
        }
        noteLevel(situation)
        let pressedFor = now.since(pressedSince ?? now)
        pressedSince = pressedSince ?? now
        let gain = max(Self.minGain, limits.minFree / 16)
        let spare = limits.criticalFree / 2
        if reading.owedBytes >= gain, reading.freeBytes >= reading.owedBytes + spare {
            steps.append(.flushState)
        }
        // What an earlier process left of it may be cut already.
        let isCut = situation.cuts != cutsAtLogFlush ?? 0 || (cutsAtLogFlush == nil && pressedFor > Self.settlingTime)
        if isCut, situation.walBytes >= gain, reading.roomBytes >= spare {
            cutsAtLogFlush = situation.cuts
            steps.append(.flushLog)
        }
        if situation.idleCopyBytes >= Self.minGain { steps.append(.dropCopyBeforeRepair) }
        // There is room for one compaction, not for one beside another that had begun before room was low.
        othersSince = reading.unfinishedBytes < Self.minGain ? nil : othersSince ?? now
        let othersAreAtIt = othersSince.map { now.since($0) < Self.longestCompaction } ?? false
        guard now >= nextCompaction, !othersAreAtIt else { return steps }
        if situation.logTableBytes >= max(gain, limits.minFree / 4), situation.cuts != cutsAtLogCompaction {
            cutsAtLogCompaction = situation.cuts
            steps.append(.compactLog)
        }
        if picture.level > .ample, reading.roomBytes >= 2 * picture.leastRoomOfCompactions, gains(situation) {
            low?.removalsDone = situation.removals
            low?.hasCompacted = true
            low?.rowBegan = nil
            steps.append(.compactState)
        }
        return steps
    }

    /// A compaction has ended.
    mutating func compacted(from start: MonotonicTime, to end: MonotonicTime) {
        nextCompaction = end.advanced(by: end.since(start) * Self.pausePerCompaction)
    }

    /// Short of room the database does not compact by itself: when it begins nobody knows how much it will take.
    private mutating func atNewLevel(_ level: Room.Level, room: UInt64) -> [Step] {
        let hasRoom = level == .ample
        guard compactsByItself != hasRoom || (low == nil && !hasRoom) else { return [] }
        let isNews = compactsByItself != hasRoom
        // RocksDB notes its options in a file, and aborts when there is no room for it: so this is tried again later.
        if !hasRoom, isNews, room < Self.minGain { return low == nil ? [.dropSnapshots] : [] }
        compactsByItself = hasRoom
        if hasRoom { return [.resumeCompactions] }
        return isNews ? [.dropSnapshots, .pauseCompactions] : [.dropSnapshots]
    }

    private mutating func noteLevel(_ situation: Situation) {
        guard situation.picture.level > .ample else { return low = nil }
        let (now, removals) = (situation.now, situation.removals)
        var period = low ?? LowPeriod(removalsDone: removals, lastRemovals: removals, lastChange: now)
        if removals > period.lastRemovals { (period.lastRemovals, period.lastChange) = (removals, now) }
        if removals > period.removalsDone { period.rowBegan = period.rowBegan ?? now }
        low = period
    }

    /// Removals are worth a compaction when their row has ended; else only much that is obsolete is, once.
    private func gains(_ situation: Situation) -> Bool {
        guard let low else { return false }
        if let began = low.rowBegan {
            return situation.now.since(low.lastChange) >= Self.quietTime
                || situation.now.since(began) >= Self.longestRow
        }
        if low.hasCompacted { return false }
        return situation.obsoleteBytes >= max(Self.minGain, situation.picture.limits.minFree / 4)
    }

    init() {}

    /// Room again: all of it may be of use the next time, but compactions keep their pace.
    private init(after plan: ReliefPlan) {
        compactsByItself = plan.compactsByItself
        cutsAtLogFlush = plan.cutsAtLogFlush
        cutsAtLogCompaction = plan.cutsAtLogCompaction
        nextCompaction = plan.nextCompaction
    }
}
