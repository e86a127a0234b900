import Testing

@testable import Raft

/// The judge is judged: a search must find each rule that is broken on purpose, and by what follows from it.
@Suite("Bounded exploration finds what is broken")
struct FlawTests {
    struct Expectation: Sendable, CustomStringConvertible {
        var flaw: Flaw
        /// Where it shows.
        var example: Case
        /// How the first sentence about it begins.
        var rule: String
        var description: String { "\(flaw) in \(example)" }
    }

    static let expectations: [Expectation] = [
        Expectation(flaw: .voteLeavesEarly, example: .elections(isLong: false), rule: "one vote"),
        Expectation(flaw: .voteNotPersisted, example: .elections(isLong: false), rule: "one vote"),
        Expectation(flaw: .acknowledgementLeavesEarly, example: .elections(isLong: false), rule: "durability"),
        Expectation(flaw: .logsNotCompared, example: .shortLog, rule: "leader completeness"),
        Expectation(flaw: .previousNotCompared, example: .divergedLogs(isLong: false), rule: "log matching"),
        Expectation(flaw: .earlierTermsCount, example: .figureEight(isLong: false), rule: "leader completeness"),
        Expectation(flaw: .unverifiedTailCommits, example: .divergedLogs(isLong: false), rule: "state machine safety"),
        Expectation(flaw: .lateAppendTruncates, example: .lateAppends, rule: "durability"),
        Expectation(flaw: .readsWithoutRound, example: .reads(isLong: false), rule: "linearizable read"),
        Expectation(flaw: .changesOverlap, example: .leaderRemoval(isLong: false), rule: "one change"),
        Expectation(flaw: .commitNotStored, example: .secondRemoval(isLong: false), rule: "leader completeness"),
        Expectation(flaw: .commitNotCarried, example: .secondRemoval(isLong: false), rule: "leader completeness"),
        Expectation(flaw: .oldHalfDoesNotCount, example: .halfKnownJoint(isLong: false), rule: "leader completeness"),
        // The leader's core is told of a snapshot that reaches beyond its log, and stops.
        Expectation(
            flaw: .snapshotClaimsMore, example: .snapshots(isLong: false), rule: "node 1: progress-order"),
    ]

    @Test(arguments: expectations) func `a broken rule is found`(_ expectation: Expectation) throws {
        var space = expectation.example.space
        space.flaw = expectation.flaw
        space.bounds.depth = 12
        let report = Explorer.explore(space)
        let failure = try #require(report.failure, "\(report.summary)")
        #expect(failure.what.hasPrefix(expectation.rule), "\(failure)")
    }

    @Test func `every flaw is tried`() {
        #expect(Set(Self.expectations.map(\.flaw)) == Set(Flaw.allCases))
    }
}

extension Case {
    /// One of three lacks what is committed.
    fileprivate static var shortLog: Case {
        var made = Case.divergedLogs(isLong: false)
        made.space.start = [.log(terms: [1, 1]), .log(terms: [1, 1]), .log(terms: [1])]
        made.space.committed = 2
        return made
    }

    /// A leader with two proposals, and an append that arrives twice.
    fileprivate static var lateAppends: Case {
        var made = Case.replication(isLong: false)
        made.space.budget = .init(proposals: 2, duplicates: 1)
        return made
    }
}
