import Testing

@testable import Simulator

@Suite("Simulator: shrinking")
struct ShrinkerTests {
    private static let needed: [FaultKind] = [.pause, .isolatedLeader]

    /// A run that fails as soon as it has what the failure needs, and half of its events over.
    private static func run(_ options: SwarmOptions) -> Simulation.Report {
        var cheap = options
        cheap.events = 1
        var report = Simulation.run(cheap)
        report.options = options
        report.events = options.events
        let fails =
            options.events >= 1_000 && options.nodes >= 3 && options.clients >= 2
            && needed.allSatisfy { options.faults.contains($0) }
        report.violation = fails ? Violation(.liveness, "planted") : nil
        if fails { report.events = max(options.events / 2, 1_000) }
        return report
    }

    /// A seed whose run has more of everything than the failure needs.
    private static let seed = (UInt64(1)...1_000).first { seed in
        let drawn = SwarmOptions.drawn(seed: seed, events: 50_000)
        return drawn.nodes > 3 && drawn.clients > 2 && drawn.faults.kinds.count > 10
            && needed.allSatisfy { drawn.faults.contains($0) }
    }

    @Test func `what is left is what the failure needs`() throws {
        let seed = try #require(Self.seed)
        let first = Self.run(.drawn(seed: seed, events: 50_000))
        #expect(first.violation != nil)
        var lines: [String] = []
        var shrinker = Shrinker(first, SwarmOptions.Limits(), listener: { lines.append($0) }, run: Self.run)
        shrinker.shrink()
        let smallest = shrinker.report
        #expect(smallest.violation?.name == "liveness")
        #expect(Set(smallest.options.faults.kinds) == Set(Self.needed))
        #expect(smallest.options.nodes == 3)
        #expect(smallest.options.clients == 2)
        #expect((1_000..<2_000).contains(smallest.options.events))
        #expect(lines.count == shrinker.runs)
        // The command that is printed repeats just that run.
        let again = SwarmOptions.drawn(
            seed: seed, events: smallest.options.events, limits: shrinker.limits)
        #expect(again == smallest.options)
    }
}
