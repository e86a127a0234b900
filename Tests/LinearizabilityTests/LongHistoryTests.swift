import Linearizability
import Testing

@Suite("The linearizability checker, on long histories") struct LongHistoryTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let clients: SimulatedClients
        /// Configurations that may be tried for a good history, and for a bad one. Found by trying, with room: a search
        /// that has lost one of its rules needs far more.
        let limits: (good: Int, bad: Int)
    }

    /// Ten clients, so that about seven operations are open at any time.
    static let cases = [
        Case(
            testDescription: "all replies known",
            clients: SimulatedClients(random: SplitMix64(seed: 1), operationsEach: 200), limits: (5_000, 30_000)),
        Case(
            testDescription: "one outcome in 50 unknown",
            clients: SimulatedClients(random: SplitMix64(seed: 2), operationsEach: 200, unknownRate: 50),
            limits: (10_000, 40_000)),
        Case(
            testDescription: "appends and deletes",
            clients: SimulatedClients(
                random: SplitMix64(seed: 3), operationsEach: 200,
                kinds: [.get, .get, .get, .append, .append, .delete, .set]),
            limits: (10_000, 60_000)),
    ]

    @Test(arguments: cases)
    func `explains two thousand operations of ten clients`(test: Case) {
        var clients = test.clients
        let history = clients.history()
        let verdict = LinearizabilityChecker(configurationLimit: test.limits.good).check(history)
        #expect(verdict.isLinearizable)
    }

    @Test(arguments: cases)
    func `finds one stale read among them`(test: Case) throws {
        var clients = test.clients
        let history = clients.history().withStaleRead(at: 0.95)
        let verdict = LinearizabilityChecker(configurationLimit: test.limits.bad).check(history)
        let violation = try #require(verdict.violation)
        #expect(history[violation.culprit].call == .get)
    }
}
