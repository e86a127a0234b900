import Foundation
import Testing

/// Every file of `Scenarios` is one test; a failure points to the line of the script.
@Suite("Scenarios") struct ScenarioTests {
    static let scripts = Fixtures.files(in: "Scenarios", ending: ".scenario")

    @Test(arguments: scripts) func `a scenario holds`(_ script: String) throws {
        try Fixtures.play(script, in: "Scenarios", Scenario.play)
    }

    /// A folder that was not found would be a suite without tests.
    @Test func `there are scenarios`() { #expect(Self.scripts.count >= 28) }
}
