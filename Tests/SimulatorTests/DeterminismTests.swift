import Testing

@testable import Simulator

@Suite("Simulator: determinism")
struct DeterminismTests {
    @Test(arguments: UInt64(1)...6)
    func `the same seed gives the same trace twice`(seed: UInt64) {
        let options = SwarmOptions.drawn(seed: seed, events: 1_500)
        let (first, second) = (Simulation.run(options), Simulation.run(options))
        #expect(first.traceHash == second.traceHash)
        #expect(first.events == second.events)
        #expect(first.marks == second.marks)
        #expect(first.violation == second.violation)
    }

    @Test func `different seeds give different traces`() {
        let hashes = (1...10).map { Simulation.run(.drawn(seed: UInt64($0), events: 1_000)).traceHash }
        #expect(Set(hashes).count == hashes.count)
    }

    @Test func `a trace that is written changes nothing`() {
        let options = SwarmOptions.drawn(seed: 4, events: 3_000)
        var lines = 0
        let traced = Simulation.run(options, listener: { _ in lines += 1 }, trace: { _ in lines += 1 })
        #expect(traced.traceHash == Simulation.run(options).traceHash)
        #expect(lines > 1_000)
    }

    @Test func `switching a kind of fault off moves no other draw of the options`() {
        var limits = SwarmOptions.Limits()
        limits.faults.remove(.crash)
        for seed in UInt64(1)...50 {
            var all = SwarmOptions.drawn(seed: seed, events: 100)
            let fewer = SwarmOptions.drawn(seed: seed, events: 100, limits: limits)
            all.faults.remove(.crash)
            #expect(all == fewer)
        }
    }

    @Test func `forks depend on their purpose and not on how far the stream is used`() {
        let random = RandomStream(seed: 7)
        var (a, b, c) = (random.fork(.network), random.fork(.network), random.fork(.disk))
        let (first, second, third) = (a.next(), b.next(), c.next())
        #expect(first == second)
        #expect(first != third)
    }
}
