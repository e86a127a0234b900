/// Where a scenario or a table is not what it says, or what it says does not hold.
struct ScenarioFailure: Error, Hashable, CustomStringConvertible {
    var file: String
    var line: Int
    var expected: String
    var found: String

    var description: String { "\(file):\(line): expected \(expected), found \(found)" }
}
