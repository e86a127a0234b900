import Raft
import Testing

@testable import RaftStorage

@Suite("When to flush, and how far to cut")
struct FlushPolicyTests {
    /// Bytes 6,400, entries 640, age 60 s from 100 bytes on, slack 10: a span is 100 bytes or 10 entries.
    private let policy: FlushPolicy = {
        var configuration = StoreConfiguration(directory: "", node: NodeID(1), clusterName: "", founders: [])
        configuration.maxUnflushedLogBytes = 6400
        configuration.maxUnflushedEntries = 640
        configuration.maxUnflushedAge = .seconds(60)
        configuration.minAgedBytes = 100
        configuration.truncationSlackEntries = 10
        return FlushPolicy(configuration)
    }()

    private func seconds(_ count: UInt64) -> MonotonicTime { MonotonicTime(nanoseconds: count * 1_000_000_000) }

    /// Work of `entries` entries of `bytes` bytes each, applied one a second from second 0.
    private func work(entries: Int, bytes: Int) -> UnflushedWork {
        var work = UnflushedWork(policy)
        for index in 0..<entries {
            work.applied(through: LogIndex(UInt64(index + 1)), entries: 1, bytes: bytes, now: seconds(UInt64(index)))
        }
        return work
    }

    @Test(
        arguments: [
            (0, 0, 1_000_000, nil), (64, 100, 60, nil), (65, 100, 60, .bytes), (640, 0, 60, nil),
            (641, 0, 60, .entries),
            (641, 10, 60, .bytes), (2, 50, 60, nil), (2, 50, 61, .age), (2, 49, 1_000_000, nil),
        ] as [(Int, Int, UInt64, FlushPolicy.Reason?)])
    func `a flush is due by bytes, by entries, or by age when it is worth it`(
        entries: Int, bytes: Int, now: UInt64, reason: FlushPolicy.Reason?
    ) {
        #expect(policy.reasonToFlush(work(entries: entries, bytes: bytes), now: seconds(now)) == reason)
    }

    @Test func `what became durable doesn't count any more, spans that are so in part count whole`() {
        var work = work(entries: 30, bytes: 1)
        #expect((work.entries, work.bytes, work.oldest) == (30, 30, seconds(0)))
        work.durable(through: LogIndex(9))
        #expect((work.entries, work.bytes, work.oldest) == (30, 30, seconds(0)))
        work.durable(through: LogIndex(15))
        #expect((work.entries, work.bytes, work.oldest) == (20, 20, seconds(10)))
        work.durable(through: LogIndex(30))
        #expect((work.entries, work.bytes, work.oldest) == (0, 0, nil))
        work.applied(through: LogIndex(40), entries: 10, bytes: 5, now: seconds(99))
        #expect((work.entries, work.bytes, work.oldest) == (10, 5, seconds(99)))
    }

    @Test(
        arguments: [
            // durably applied, lowest match, cut so far -> cut at
            (100, 100, 0, 90), (100, 50, 0, 40), (50, 100, 0, 40), (100, 100, 79, 90), (100, 100, 80, nil),
            (100, 100, 95, nil), (10, 100, 0, nil), (100, 10, 0, nil), (0, 0, 0, nil), (21, 21, 0, 11),
            (20, 20, 0, nil),
        ] as [(UInt64, UInt64, UInt64, UInt64?)])
    func `the log is cut below both what is durable here and what every voter has, less the slack`(
        durable: UInt64, match: UInt64, truncated: UInt64, expected: UInt64?
    ) {
        #expect(
            policy.truncation(
                durableApplied: LogIndex(durable), lowestMatch: LogIndex(match), truncated: LogIndex(truncated))
                == expected.map { LogIndex($0) })
    }
}

@Suite("The log's tail in bytes")
struct LogTailTests {
    @Test func `it begins where at least so many bytes follow, and hardly more`() {
        var tail = LogTail(limit: 640)
        for index in 1...64 as ClosedRange<UInt64> { tail.applied(through: LogIndex(index), bytes: 10) }
        #expect(tail.start == .zero)
        for index in 65...200 as ClosedRange<UInt64> {
            tail.applied(through: LogIndex(index), bytes: 10)
            #expect(tail.start == LogIndex(index - 64))
        }
    }

    @Test func `one entry that is larger than all of it stays`() {
        var tail = LogTail(limit: 640)
        tail.applied(through: LogIndex(1), bytes: 5000)
        #expect(tail.start == .zero)
        tail.applied(through: LogIndex(2), bytes: 5000)
        #expect(tail.start == LogIndex(1))
    }

    @Test(
        arguments: [
            // durable, tail's start, cut so far -> cut at; 10 entries of slack
            (100, 0, 0, 90), (100, 95, 0, 95), (100, 95, 94, 95), (100, 95, 95, nil), (100, 120, 0, 100),
            (5, 3, 0, 3), (5, 0, 0, nil), (100, 50, 80, nil), (100, 50, 79, 90),
        ] as [(UInt64, UInt64, UInt64, UInt64?)])
    func `the log is cut by the lesser of the two slacks`(
        durable: UInt64, tailStart: UInt64, truncated: UInt64, expected: UInt64?
    ) {
        var configuration = StoreConfiguration(directory: "", node: NodeID(1), clusterName: "", founders: [])
        configuration.truncationSlackEntries = 10
        let cut = FlushPolicy(configuration).truncation(
            durableApplied: LogIndex(durable), lowestMatch: LogIndex(1000), truncated: LogIndex(truncated),
            tailStart: LogIndex(tailStart))
        #expect(cut == expected.map { LogIndex($0) })
    }
}
