import Foundation
import Testing

/// Every file of `Tables` is one test; a failure points to the line of the table.
@Suite("Tables") struct TableTests {
    static let quorums = Fixtures.files(in: "Tables", ending: ".table").filter { !$0.hasPrefix("membership-") }
    static let memberships = Fixtures.files(in: "Tables", ending: ".table").filter { $0.hasPrefix("membership-") }

    @Test(arguments: quorums) func `quorums decide as the table says`(_ table: String) throws {
        try Fixtures.play(table, in: "Tables", QuorumTable.play)
    }

    @Test(arguments: memberships) func `memberships change as the table says`(_ table: String) throws {
        try Fixtures.play(table, in: "Tables", MembershipTable.play)
    }

    @Test func `there are tables`() throws {
        #expect(Self.memberships.count >= 9)
        var cases = 0
        for table in Self.quorums {
            cases += ScenarioLine.all(of: try Fixtures.text(of: table, in: "Tables"), file: table).count
        }
        #expect(cases >= 125)
    }
}
