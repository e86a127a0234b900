import Raft
import Testing

@testable import RoostNode

@Suite("Short of room: what is given back, and when")
struct ReliefPlanTests {
    /// Of 100 MiB 40 are to stay free, 10 are the end; below 80 the node begins to give back.
    private static let limits: SpaceLimits = {
        var storage = NodeConfiguration.Storage()
        storage.minFreeBytes = .bytes(40 << 20)
        return SpaceLimits(storage, capacityBytes: 100 << 20)
    }()

    /// Sizes in MiB, times in milliseconds.
    private func situation(
        free: UInt64, owed: UInt64 = 0, wal: UInt64 = 0, logTables: UInt64 = 0, obsolete: UInt64 = 0,
        kept: UInt64 = 0, unfinished: UInt64 = 0, cuts: Int = 0, removals: UInt64 = 0, at time: UInt64
    ) -> ReliefPlan.Situation {
        let reading = SpaceReading(
            capacityBytes: 100 << 20, freeBytes: free << 20, owedBytes: owed << 20, unfinishedBytes: unfinished << 20)
        var gauge = SpaceGauge()
        _ = gauge.take(room: reading.roomBytes, Self.limits)
        return ReliefPlan.Situation(
            picture: .init(
                reading: reading, limits: Self.limits, level: gauge.level, reserveBytes: 0, copyBytes: kept << 20),
            walBytes: wal << 20, logTableBytes: logTables << 20, obsoleteBytes: obsolete << 20,
            idleCopyBytes: kept << 20, cuts: cuts, removals: removals,
            now: MonotonicTime(nanoseconds: 1_000_000_000_000 + time * 1_000_000))
    }

    private func steps(
        _ situations: [ReliefPlan.Situation], _ plan: ReliefPlan = ReliefPlan()
    ) -> [[ReliefPlan.Step]] {
        var plan = plan
        _ = plan.next(situation(free: 99, at: 0))
        return situations.map { plan.next($0) }
    }

    @Test func `the database compacts by itself only while there is room`() {
        var plan = ReliefPlan()
        let steps = [
            plan.next(situation(free: 90, at: 0)), plan.next(situation(free: 90, at: 1)),
            plan.next(situation(free: 39, at: 2)), plan.next(situation(free: 39, at: 3)),
            plan.next(situation(free: 60, at: 4)), plan.next(situation(free: 5, at: 5)),
        ]
        let pause: [ReliefPlan.Step] = [.dropSnapshots, .pauseCompactions]
        #expect(steps == [[.resumeCompactions], [], pause, [], [.resumeCompactions], pause])
        // Started without room, it has not begun.
        var starved = ReliefPlan()
        let first = starved.next(situation(free: 39, at: 0))
        #expect(first == [.dropSnapshots])
    }

    @Test func `with room nothing is done`() {
        #expect(steps([situation(free: 90, owed: 5, wal: 50, obsolete: 50, at: 0)]) == [[]])
    }

    @Test func `before anything is refused the state is flushed, and once that has cut the log, so is that`() {
        let done = steps([
            situation(free: 70, owed: 10, wal: 1, at: 0), situation(free: 60, wal: 12, cuts: 1, at: 1_000),
            // The same cut again has nothing to give.
            situation(free: 60, wal: 12, cuts: 1, at: 2_000), situation(free: 60, owed: 5, wal: 12, cuts: 2, at: 3_000),
        ])
        #expect(done == [[.flushState], [.flushLog], [], [.flushState, .flushLog]])
    }

    @Test func `what an earlier process left of the log is flushed when it is not cut any more`() {
        let done = steps([
            situation(free: 60, wal: 12, at: 0), situation(free: 60, wal: 12, at: 2_000),
            situation(free: 60, wal: 12, at: 2_100), situation(free: 60, wal: 12, at: 2_200),
        ])
        #expect(done == [[], [], [.flushLog], []])
    }

    @Test func `tables of a log that was cut since are compacted`() {
        let done = steps([
            situation(free: 60, logTables: 10, at: 0), situation(free: 60, logTables: 9, cuts: 1, at: 100),
            situation(free: 60, logTables: 10, cuts: 1, at: 200), situation(free: 60, logTables: 10, cuts: 1, at: 300),
        ])
        #expect(done == [[], [], [.compactLog], []])
    }

    @Test func `what is too little to be worth a file stays in memory`() {
        // A sixteenth of what must stay free is 2.5 MiB.
        #expect(steps([situation(free: 50, owed: 2, wal: 2, cuts: 1, at: 5_000)]) == [[]])
    }

    @Test func `nothing is flushed that does not fit`() {
        #expect(steps([situation(free: 30, owed: 26, at: 0)]) == [[.dropSnapshots, .pauseCompactions]])
        #expect(steps([situation(free: 32, owed: 26, at: 0)]) == [[.dropSnapshots, .pauseCompactions, .flushState]])
        #expect(steps([situation(free: 4, wal: 50, obsolete: 50, at: 0)]) == [[.dropSnapshots, .pauseCompactions]])
    }

    @Test func `snapshots are dropped once each time that room becomes low`() {
        let done = steps([
            situation(free: 39, at: 0), situation(free: 39, at: 100), situation(free: 90, at: 200),
            situation(free: 39, at: 300),
        ])
        let drop: [ReliefPlan.Step] = [.dropSnapshots, .pauseCompactions]
        #expect(done == [drop, [], [.resumeCompactions], drop])
    }

    @Test func `what was kept before a repair and nobody needs goes before anything is refused`() {
        let done = steps([
            situation(free: 90, kept: 20, at: 0), situation(free: 60, kept: 20, at: 100),
            situation(free: 80, at: 200),
        ])
        #expect(done == [[], [.dropCopyBeforeRepair], []])
    }

    @Test func `what is obsolete is compacted away`() {
        let done = steps([
            // 10 MiB at least.
            situation(free: 39, obsolete: 9, at: 0), situation(free: 39, obsolete: 10, at: 100),
            // Once: what was not found then will not be found now.
            situation(free: 39, obsolete: 10, at: 60_000),
        ])
        #expect(done == [[.dropSnapshots, .pauseCompactions], [.compactState], []])
    }

    @Test func `removals are worth a compaction, once their row has ended`() {
        let done = steps([
            // Those from before room was low are compacted away with everything else.
            situation(free: 39, removals: 100, at: 0), situation(free: 39, removals: 100, at: 60_000),
            // A row of them, and its end.
            situation(free: 39, removals: 101, at: 63_100), situation(free: 39, removals: 102, at: 63_500),
            situation(free: 39, removals: 102, at: 63_900), situation(free: 39, removals: 102, at: 64_000),
            situation(free: 39, removals: 102, at: 69_000),
        ])
        #expect(done == [[.dropSnapshots, .pauseCompactions], [], [], [], [], [.compactState], []])
    }

    @Test func `removals in the first moments count as well`() {
        let done = steps([
            situation(free: 39, at: 0), situation(free: 39, removals: 7, at: 100),
            situation(free: 39, removals: 7, at: 500), situation(free: 39, removals: 7, at: 600),
        ])
        #expect(done == [[.dropSnapshots, .pauseCompactions], [], [], [.compactState]])
    }

    @Test func `a row of removals that does not end is not waited for`() {
        let row = stride(from: 200 as UInt64, through: 5_200, by: 200).map {
            situation(free: 39, removals: $0, at: $0)
        }
        let done = steps([situation(free: 39, removals: 1, at: 0)] + row)
        #expect(done.count { $0 == [.compactState] } == 1)
        #expect(done.last == [.compactState])
    }

    @Test func `a compaction needs room to be ended in time`() {
        // It is ended at 16.25 MiB: 10 are critical, and a sixteenth of the disk above that. It begins with twice as much.
        #expect(
            steps([situation(free: 32, obsolete: 50, at: 0), situation(free: 33, obsolete: 50, at: 1)])
                == [[.dropSnapshots, .pauseCompactions], [.compactState]])
    }

    @Test func `a compaction waits for those that the database began by itself, but not for ever`() {
        let done = steps([
            situation(free: 39, obsolete: 20, unfinished: 1, at: 0),
            situation(free: 39, obsolete: 20, unfinished: 30, at: 59_000),
            situation(free: 39, obsolete: 20, at: 59_100),
        ])
        #expect(done == [[.dropSnapshots, .pauseCompactions], [], [.compactState]])
        let stuck = steps([
            situation(free: 39, obsolete: 20, unfinished: 1, at: 0),
            situation(free: 39, obsolete: 20, unfinished: 1, at: 60_000),
        ])
        #expect(stuck == [[.dropSnapshots, .pauseCompactions], [.compactState]])
    }

    @Test func `compactions take half of the time at most`() {
        var plan = ReliefPlan()
        let first = plan.next(situation(free: 39, obsolete: 50, removals: 1, at: 0))
        #expect(first == [.dropSnapshots, .compactState])
        let start = situation(free: 39, at: 0).now
        plan.compacted(from: start, to: start.advanced(by: .seconds(3)))
        _ = plan.next(situation(free: 39, removals: 1, at: 4_000))
        _ = plan.next(situation(free: 39, removals: 2, at: 5_000))
        let early = plan.next(situation(free: 39, removals: 2, at: 5_999))
        let late = plan.next(situation(free: 39, removals: 2, at: 6_000))
        #expect(early == [])
        #expect(late == [.compactState])
    }
}
