import Foundation
import Testing

@testable import Raft

@Suite("Random schedules")
struct ChaosTests {
    /// How many seeds; more with `ROOST_STORM_SEEDS=10000 swift test -c release -Xswiftc -enable-testing --filter
    /// ChaosTests`.
    private static let seeds = ProcessInfo.processInfo.environment["ROOST_STORM_SEEDS"].flatMap { UInt64($0) } ?? 120

    private static let actions = 800

    /// A failure names its seed; `Chaos(seed:size:)` with the same arguments repeats it.
    @Test(arguments: [3, 5] as [UInt64]) func `safety holds in a storm, and a group heals after it`(size: UInt64) {
        for seed in 1...Self.seeds {
            var chaos = Chaos(seed: seed, size: size)
            if let failure = chaos.run(actions: Self.actions) {
                Issue.record("seed \(seed), size \(size): \(failure)")
                return
            }
        }
    }

    /// The schedules must reach what they are meant to judge.
    @Test func `a storm is worth its name`() {
        var (committed, leaderships, lost, reads) = (0, 0, 0, 0)
        var tally = Chaos.Tally()
        for seed in 1...30 as ClosedRange<UInt64> {
            var chaos = Chaos(seed: seed, size: 3)
            _ = chaos.run(actions: Self.actions)
            committed += chaos.checker.committed.count
            leaderships += chaos.checker.leaders.count
            lost += chaos.checker.lostPayloads.count
            reads += chaos.checker.readsAnswered
            tally.restarts += chaos.tally.restarts
            tally.membershipChanges += chaos.tally.membershipChanges
            tally.installs += chaos.tally.installs
            tally.transfers += chaos.tally.transfers
            tally.learnersCaughtUp += chaos.tally.learnersCaughtUp
        }
        #expect(committed > 30 * 15)
        #expect(leaderships > 30 * 2)
        #expect(lost > 20)
        #expect(reads > 30)
        #expect(tally.restarts > 30 * 2)
        #expect(tally.membershipChanges > 30 * 2)
        #expect(tally.installs > 10)
        #expect(tally.transfers > 10)
        #expect(tally.learnersCaughtUp > 8)
    }

    @Test(arguments: 1...3 as ClosedRange<UInt64>) func `the same seed gives the same effects`(seed: UInt64) {
        var first = Chaos(seed: seed, size: 3, isTraced: true)
        var second = Chaos(seed: seed, size: 3, isTraced: true)
        _ = first.run(actions: Self.actions)
        _ = second.run(actions: Self.actions)
        #expect(first.trace.count > 100)
        #expect(first.trace == second.trace)
    }
}
