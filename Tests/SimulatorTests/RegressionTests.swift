import Foundation
import Testing

@testable import Simulator

/// Runs that found something, each with what it found.
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

    /// Few kinds of faults, each with the mutant that plants what it found: Tests/Mutants/regressions.
    private static let narrow: [Found] = {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Mutants/regressions")
        guard let text = try? String(contentsOf: file, encoding: .utf8) else { return [] }
        return text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { row in
            let fields = row.split(separator: "\t").map(String.init)
            guard fields.count == 6, let seed = UInt64(fields[1]), let events = Int(fields[2]),
                let nodes = Int(fields[3])
            else { preconditionFailure("Tests/Mutants/regressions: \(row)") }
            let kinds = fields[4].split(separator: ",").map { kind in
                guard let known = FaultKind(rawValue: String(kind)) else { preconditionFailure("no fault '\(kind)'") }
                return known
            }
            return Found(what: fields[5], seed: seed, events: events, nodes: nodes, faults: FaultSet(kinds))
        }
    }()

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

    @Test func `there are runs`() { #expect(!Self.narrow.isEmpty) }

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
