import Raft
import Testing

@testable import Simulator

@Suite("Simulator: empty founders and wiped disks")
struct FoundingTests {
    private let others = [NodeID(2), NodeID(3)]
    private let deadline = MonotonicTime(nanoseconds: 100)

    @Test func `an empty founder votes when all others are empty, or when it has waited`() {
        var guardian = FoundingGuard(others: others, deadline: deadline)
        guardian.met(NodeID(2), hasData: false)
        #expect(guardian.decision(at: .zero) == .wait)
        #expect(guardian.decision(at: deadline) == .vote)
        guardian.met(NodeID(3), hasData: false)
        #expect(guardian.decision(at: .zero) == .vote)
    }

    @Test func `an empty founder that has met data catches up first, however long it waits`() {
        var guardian = FoundingGuard(others: others, deadline: deadline)
        guardian.met(NodeID(2), hasData: true)
        guardian.met(NodeID(3), hasData: false)
        #expect(guardian.decision(at: .zero) == .catchUpFirst)
        #expect(guardian.decision(at: deadline) == .catchUpFirst)
    }

    @Test func `a wiped disk is refused by those who knew it, and the cluster goes on`() {
        var limits = SwarmOptions.Limits()
        limits.faults = FaultSet([.lostDisk, .membership, .crash])
        limits.nodes = 5
        var marks = MarkTable()
        for seed in UInt64(1)...12 {
            let options = SwarmOptions.drawn(seed: seed, events: 3_000, limits: limits)
            let report = Simulation.run(options)
            #expect(report.violation == nil, "seed \(seed): \(report.options)")
            marks.merge(report.marks)
        }
        #expect(marks[.foundersTrusted] > 0)
        #expect(marks[.diskWiped] > 0)
        #expect(marks[.refusedByIncarnation] > 0)
    }

    /// Else those without one could found a second cluster, and no rule of theirs could prevent it.
    @Test func `one founder with entries always keeps its first disk`() {
        var limits = SwarmOptions.Limits()
        limits.faults = FaultSet([.lostDisk, .membership, .crash])
        limits.nodes = 2
        var marks = MarkTable()
        for seed in UInt64(1)...40 {
            let world = World(SwarmOptions.drawn(seed: seed, events: 3_000, limits: limits))
            while world.eventsHandled < 3_000, world.step() {}
            #expect(world.judge.violation == nil, "seed \(seed): \(world.options)")
            let founders = world.nodes.prefix(2)
            #expect(founders.contains { !$0.isWiped }, "seed \(seed): \(world.options)")
            marks.merge(world.marks)
        }
        #expect(marks[.diskWiped] > 0)
    }

    @Test func `founders that are switched on late catch up before they vote`() {
        var limits = SwarmOptions.Limits()
        limits.faults = FaultSet([.crash])
        limits.nodes = 5
        var marks = MarkTable()
        for seed in UInt64(1)...12 {
            var options = SwarmOptions.drawn(seed: seed, events: 3_000, limits: limits)
            options.faults = limits.faults
            options.faultDuration = 2 * Nanoseconds.perSecond
            let report = Simulation.run(options)
            #expect(report.violation == nil, "seed \(seed): \(report.options)")
            marks.merge(report.marks)
        }
        #expect(marks[.foundersDistrusted] > 0)
        #expect(marks[.suspectCaughtUp] > 0)
    }
}
