/// Everything that is wrong with a configuration, in the order in which it was found; never empty.
package struct ConfigurationError: Error, Hashable, Sendable {
    package var problems: [Problem]

    package init(_ problems: [Problem]) {
        precondition(!problems.isEmpty, "a configuration error without a problem")
        self.problems = problems
    }

    /// One thing to correct.
    package struct Problem: Hashable, Sendable, CustomStringConvertible {
        package var source: ConfigurationSource
        /// Names the key and says what was found and what was expected.
        package var message: String

        package var description: String { source == .defaults ? message : "\(source): \(message)" }
    }

    /// The first problem as the reason why the process ends; the others are only counted.
    package var failure: NodeFailure {
        let more = problems.count == 1 ? "" : " (and \(problems.count - 1) more, see above)"
        return NodeFailure(
            .configuration, cause: "\(problems[0])\(more)", remedy: "correct it and try roostd check-config")
    }
}
