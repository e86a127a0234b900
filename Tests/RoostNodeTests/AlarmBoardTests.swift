import Raft
import Synchronization
import Testing

@testable import RoostNode

@Suite("Alarms")
struct AlarmBoardTests {
    private static let day: UInt64 = 24 * 3600
    private static let now: UInt64 = 1_800_000_000

    @Test func `a repair is an alarm for a day, and each one for its own`() {
        let history = RepairHistory(times: [Self.now, Self.now + 1000])
        func words(_ seconds: UInt64) -> String? { history.alarm(of: NodeID(2), at: seconds) }
        #expect(words(Self.now + 1000)?.hasPrefix("node 2 has repaired itself 2 times within a day") == true)
        #expect(words(Self.now + Self.day - 1)?.contains("2 times") == true)
        #expect(words(Self.now + Self.day)?.contains("once") == true)
        #expect(words(Self.now + Self.day + 1000) == nil)
        // The clock was ahead when the node repaired itself.
        #expect(words(Self.now - 60)?.contains("2 times") == true)
        #expect(RepairHistory(times: []).alarm(of: NodeID(2), at: Self.now) == nil)
    }

    @Test func `what ends by time alone is gone when somebody looks later`() {
        let board = AlarmBoard()
        let history = RepairHistory(times: [Self.now])
        board.set(.difference, "replicas differ")
        board.set(.repairs) { history.alarm(of: NodeID(2), at: TestClock.seconds.load(ordering: .relaxed)) }
        TestClock.seconds.store(Self.now + 60, ordering: .relaxed)
        #expect(board.sentences.count == 2 && board.sentence(.repairs) != nil)
        TestClock.seconds.store(Self.now + Self.day, ordering: .relaxed)
        #expect(board.sentences == ["replicas differ"] && board.sentence(.repairs) == nil)
        board.set(.difference, nil)
        #expect(board.sentences.isEmpty)
    }
}

private enum TestClock {
    static let seconds = Atomic<UInt64>(0)
}
