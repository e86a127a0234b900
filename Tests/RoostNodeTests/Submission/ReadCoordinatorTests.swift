import Raft
import Testing

@testable import RoostNode

@Suite("ReadCoordinator: reads wait for an index, then for the state")
struct ReadCoordinatorTests {
    private var reads = ReadCoordinator<Int>(parkTimeout: .seconds(2), incarnation: 7)

    private func time(_ milliseconds: UInt64) -> MonotonicTime { MonotonicTime(nanoseconds: milliseconds * 1_000_000) }

    private mutating func ask() throws -> ReadToken {
        let token = reads.takeToken(hasLeader: true)
        return try #require(token)
    }

    @Test mutating func `everything queued shares one token`() throws {
        reads.enqueue(1, at: time(0))
        reads.enqueue(2, at: time(1))
        let token = try ask()
        #expect(reads.takeToken(hasLeader: true) == nil)
        reads.ready(token, at: LogIndex(10))
        #expect(reads.takeReady(applied: LogIndex(9)) == [])
        #expect(reads.takeReady(applied: LogIndex(10)) == [1, 2])
        #expect(reads.isEmpty)
    }

    @Test mutating func `without a leader nothing is asked, and the wait ends`() {
        reads.enqueue(1, at: time(0))
        #expect(reads.takeToken(hasLeader: false) == nil)
        #expect(reads.expire(at: time(1999)) == [])
        #expect(reads.nextDeadline == time(2000))
        #expect(reads.expire(at: time(2000)) == [1])
        #expect(reads.isEmpty)
    }

    @Test mutating func `a failed group is asked for again, in front and with its time`() throws {
        reads.enqueue(1, at: time(0))
        let first = try ask()
        reads.enqueue(2, at: time(500))
        reads.failed(first)
        let second = try ask()
        #expect(second != first)
        reads.ready(first, at: LogIndex(1))
        #expect(reads.takeReady(applied: LogIndex(1)) == [], "an answer to a token that failed")
        reads.ready(second, at: LogIndex(1))
        #expect(reads.takeReady(applied: LogIndex(1)) == [1, 2])
    }

    @Test mutating func `a group that is answered but not applied in time expires`() throws {
        reads.enqueue(1, at: time(0))
        let token = try ask()
        reads.ready(token, at: LogIndex(10))
        #expect(reads.expire(at: time(2000)) == [1])
        #expect(reads.takeReady(applied: LogIndex(10)) == [])
    }
}
