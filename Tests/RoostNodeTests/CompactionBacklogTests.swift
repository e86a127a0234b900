import Testing

@testable import RaftStorage
@testable import RoostNode

@Suite("Writes that wait for compactions")
struct CompactionBacklogTests {
    private let backlog = CompactionBacklog()

    @Test func `are no reason to end the node while tables grow, come or go`() {
        var statistics = StoreStatistics()
        statistics.stateTableBytes = 100
        #expect(backlog.isWorkedOff(statistics))
        statistics.unfinishedTableBytes = 10
        #expect(backlog.isWorkedOff(statistics))
        statistics.unfinishedTableBytes = 20
        #expect(backlog.isWorkedOff(statistics))
        (statistics.unfinishedTableBytes, statistics.stateTableBytes) = (0, 60)
        #expect(backlog.isWorkedOff(statistics))
        statistics.logTableBytes = 1
        #expect(backlog.isWorkedOff(statistics))
    }

    @Test func `are one when nothing moves`() {
        var statistics = StoreStatistics()
        statistics.unfinishedTableBytes = 10
        statistics.isWriteStopped = true
        #expect(backlog.isWorkedOff(statistics))
        #expect(!backlog.isWorkedOff(statistics))
        // What memory holds is not the disk's doing.
        statistics.stateMemtableBytes = 5
        #expect(!backlog.isWorkedOff(statistics))
    }
}
