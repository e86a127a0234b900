import Testing

@testable import Simulator

/// Runs that found something, each with what it found. Those with few kinds of faults fail again when the fix is taken out,
/// as long as nobody changes what the simulator draws; then the mutants of the same mechanisms still guard them.
@Suite("Simulator: runs that found something")
struct RegressionTests {
    struct Found: CustomTestStringConvertible, Sendable {
        var what: String
        var seed: UInt64
        var events = 20_000
        var nodes: Int?
        var faults = FaultSet.all

        var testDescription: String { "\(what) (seed \(seed))" }
    }

    private static let narrow: [Found] = [
        Found(
            what: "a sole voter that leads answers a read at once, behind what a learner has told its client",
            seed: 62, events: 5_000, nodes: 1, faults: FaultSet([.membership])),
        Found(
            what: "a change that only waited for its turn took the healed core's majority away (in the simulator)",
            seed: 67, events: 5_000, nodes: 2, faults: FaultSet([.membership, .loss, .transfer])),
        Found(
            what: "a removed leader's longer log blocks the only voter left for ever",
            seed: 424, events: 4_000, nodes: 2,
            faults: FaultSet([.membership, .loss, .partition, .oneWay, .partial, .transfer])),
        Found(
            what: "reads never end in a joint configuration of one node",
            seed: 342, events: 3_000, nodes: 1, faults: FaultSet([.membership])),
        Found(
            what: "a survivor forgets in a restart that the others were removed",
            seed: 188, events: 5_000, nodes: 2, faults: FaultSet([.membership, .crash, .lostDisk])),
        Found(
            what: "a learner's whole log, one entry at a time, took longer than the liveness phase",
            seed: 375, events: 5_000, nodes: 1,
            faults: FaultSet([.membership, .transfer, .loss, .pause])),
        Found(
            what: "a commit by the old membership, in the turn that applied the new one (in the simulator)",
            seed: 403, events: 6_000,
            faults: FaultSet([.loss, .partition, .isolatedLeader, .crash, .lostDisk, .membership])),
        Found(
            what: "a write of nothing made a cut of the log look durable (in the simulator)",
            seed: 216, events: 5_000, nodes: 1, faults: FaultSet([.membership, .crash])),
    ]

    /// All kinds of faults.
    private static let wide: [Found] = [
        Found(what: "a removed leader's longer log blocks the only voter left", seed: 113),
        Found(what: "a survivor forgets that the others were removed", seed: 154),
        Found(what: "a survivor forgets that the others were removed", seed: 242),
        Found(what: "reads never end in a joint configuration of one node", seed: 156),
        Found(what: "a stale read of a sole voter with learners", seed: 281),
        Found(what: "two snapshot transfers with one number (in the simulator)", seed: 48),
        Found(what: "a write of nothing made a cut of the log look durable (in the simulator)", seed: 5_150),
        Found(what: "a wiped node took a message of a leader who knew its old disk (in the simulator)", seed: 5_541),
        Found(what: "a long backlog, one entry at a time, took longer than the liveness phase", seed: 5_482),
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
