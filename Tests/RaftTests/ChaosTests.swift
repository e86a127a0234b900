import Testing

@testable import Raft

@Suite("Random schedules")
struct ChaosTests {
    /// A failure names its seed; `Chaos(seed:size:)` with the same arguments repeats it.
    @Test(arguments: [3, 5] as [UInt64]) func `safety holds in a storm, and a group heals after it`(size: UInt64) {
        for seed in 1...150 as ClosedRange<UInt64> {
            var chaos = Chaos(seed: seed, size: size)
            if let failure = chaos.run(actions: 600) {
                Issue.record("seed \(seed), size \(size): \(failure)")
                return
            }
        }
    }

    @Test func `a storm is worth its name`() {
        var (committed, elections) = (0, 0)
        for seed in 1...20 as ClosedRange<UInt64> {
            var chaos = Chaos(seed: seed, size: 3)
            _ = chaos.run(actions: 600)
            committed += chaos.checker.committed.count
            elections += Int(chaos.nodes[0].test.core.term.rawValue)
        }
        print("STORM", committed, elections)
        #expect(committed > 20 * 20)
        #expect(elections > 20 * 2)
    }

    @Test(arguments: 1...3 as ClosedRange<UInt64>) func `the same seed gives the same effects`(seed: UInt64) {
        var first = Chaos(seed: seed, size: 3, isTraced: true)
        var second = Chaos(seed: seed, size: 3, isTraced: true)
        _ = first.run(actions: 400)
        _ = second.run(actions: 400)
        #expect(first.trace.count > 200)
        #expect(first.trace == second.trace)
    }
}
