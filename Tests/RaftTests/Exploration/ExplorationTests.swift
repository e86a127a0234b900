import Foundation
import Testing

@testable import Raft

@Suite("Bounded exploration")
struct ExplorationTests {
    /// `ROOST_EXPLORE=long swift test -c release -Xswiftc -enable-testing --filter ExplorationTests` searches further;
    /// `ROOST_EXPLORE_STATES` says how many states of each space, by default 400,000.
    private static let isLong = ProcessInfo.processInfo.environment["ROOST_EXPLORE"] == "long"
    private static let longStates =
        ProcessInfo.processInfo.environment["ROOST_EXPLORE_STATES"].flatMap { Int($0) } ?? 400_000

    @Test(arguments: Case.catalogue(isLong: isLong, states: isLong ? longStates : .max))
    func `nothing that can happen breaks a rule`(of example: Case) {
        let report = Explorer.explore(example.space)
        print(report.summary)
        if let failure = report.failure { Issue.record("\(example): \(failure)") }
        #expect(report.reached.includes(example.mustReach), "the search does not get to what it is about")
    }

    @Test func `the same search finds the same states`() {
        let space = Case.learner(isLong: false).space
        let (first, second) = (Explorer.explore(space), Explorer.explore(space))
        #expect(first.newStates == second.newStates)
        #expect(first.transitions == second.transitions)
    }
}

extension Explorer.Reached {
    func includes(_ least: Self) -> Bool {
        leaderships >= least.leaderships && committed >= least.committed && marks.isSuperset(of: least.marks)
    }
}
