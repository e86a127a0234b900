import Raft
import Testing

@testable import RoostNode

@Suite("Snapshots that failed are tried again, ever more rarely")
struct SnapshotRetriesTests {
    private func time(_ milliseconds: UInt64) -> MonotonicTime {
        MonotonicTime(nanoseconds: 1_000_000_000 + milliseconds * 1_000_000)
    }

    @Test func `pauses double up to ten seconds, and begin anew after a success`() {
        var retries = SnapshotRetries()
        var now: UInt64 = 0
        var pauses: [UInt64] = []
        for _ in 1...10 {
            retries.failed(NodeID(2), at: time(now))
            let start = now
            while retries.takeDue(at: time(now)).isEmpty { now += 100 }
            pauses.append(now - start)
        }
        #expect(pauses == [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000, 10_000])
        retries.succeeded(NodeID(2))
        retries.failed(NodeID(2), at: time(now))
        #expect(retries.nextDue == time(now + 100))
    }

    @Test func `each node has its own pause, and is given out once`() {
        var retries = SnapshotRetries()
        #expect(retries.nextDue == .never)
        retries.failed(NodeID(3), at: time(0))
        retries.failed(NodeID(2), at: time(50))
        #expect(retries.nextDue == time(100))
        #expect(retries.takeDue(at: time(99)) == [])
        #expect(retries.takeDue(at: time(100)) == [NodeID(3)])
        #expect(retries.takeDue(at: time(500)) == [NodeID(2)])
        #expect(retries.takeDue(at: time(500)) == [])
        #expect(retries.nextDue == .never)
    }
}
