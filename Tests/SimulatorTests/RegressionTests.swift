import Testing

@testable import Simulator

/// Runs that found something, each with what it found. A run with a mutant's name fails when that mutant is planted
/// (Tests/Mutants), as long as nobody changes what the simulator draws; else run the mutant again with these limits, and
/// take the seed that it prints.
@Suite("Simulator: runs that found something")
struct RegressionTests {
    struct Found: CustomTestStringConvertible, Sendable {
        var what: String
        var mutant: String?
        var seed: UInt64
        var events = 20_000
        var nodes: Int?
        var faults = FaultSet.all

        var testDescription: String { "\(what) (seed \(seed))" }
    }

    private static let narrow: [Found] = [
        Found(
            what: "a sole voter that leads answers a read at once, behind what a learner has told its client",
            mutant: "local-read-beside-learners", seed: 18, events: 5_000, nodes: 1, faults: FaultSet([.membership])),
        Found(
            what: "a removed leader's longer log blocks the only voter left for ever",
            mutant: "commit-not-told-to-candidates", seed: 133, events: 4_000, nodes: 2,
            faults: FaultSet([.membership, .loss, .partition, .transfer])),
        Found(
            what: "a survivor forgets in a restart that the others were removed",
            mutant: "settled-without-an-entry", seed: 4, events: 5_000, nodes: 2,
            faults: FaultSet([.membership, .crash, .lostDisk])),
        Found(
            what: "a leader that leaves says so before the one that stays knows it for sure",
            mutant: "removed-leader-retires-at-once", seed: 18, events: 5_000, nodes: 2,
            faults: FaultSet([.membership, .crash, .lostDisk])),
        Found(
            what: "a leader left alone reads at once, behind what those who left have told their clients",
            mutant: "local-read-after-the-others-left", seed: 11, events: 3_000, nodes: 2,
            faults: FaultSet([.membership])),
        Found(
            what: "reads never end in a joint configuration of one node",
            mutant: "sole-voter-waits-for-itself", seed: 375, events: 3_000, nodes: 1,
            faults: FaultSet([.membership])),
    ]

    /// All kinds of faults. Those that say so were mistakes of the simulator.
    private static let wide: [Found] = [
        Found(what: "a removed leader's longer log blocks the only voter left", seed: 113),
        Found(what: "a survivor forgets that the others were removed", seed: 154),
        Found(what: "a survivor forgets that the others were removed", seed: 242),
        Found(what: "reads never end in a joint configuration of one node", seed: 156),
        Found(what: "a stale read of a sole voter with learners", seed: 281),
        Found(what: "the only voter left waits for a removed leader, whose machine is gone", seed: 577),
        Found(what: "two snapshot transfers with one number (in the simulator)", seed: 48),
        Found(what: "a cut-off of the liveness phase's own core (in the simulator)", seed: 302),
        Found(what: "a long backlog, late page by late page, took longer than the liveness phase", seed: 1_687),
        Found(what: "a write of nothing made a cut of the log look durable (in the simulator)", seed: 5_150),
        Found(what: "a wiped node took a message of a leader who knew its old disk (in the simulator)", seed: 5_541),
        Found(what: "a long backlog, one entry at a time, took longer than the liveness phase", seed: 5_482),
        Found(
            what: "a leader left alone reads at once, behind what those who left have told their clients",
            seed: 1_035_900_749_630, events: 2_000),
        Found(
            what: "a lease outlives the quorum it was given by (in the core's own rule)", seed: 1_035_900_750_023,
            events: 6_000),
    ]

    @Test(arguments: narrow)
    func `it does not come back`(found: Found) { expectNothing(found) }

    @Test(arguments: wide)
    func `it does not come back among all faults`(found: Found) { expectNothing(found) }

    private func expectNothing(_ found: Found) {
        var limits = SwarmOptions.Limits()
        limits.nodes = found.nodes
        limits.faults = found.faults
        let report = Simulation.run(.drawn(seed: found.seed, events: found.events, limits: limits))
        #expect(report.violation == nil, "\(report.options)")
    }
}
