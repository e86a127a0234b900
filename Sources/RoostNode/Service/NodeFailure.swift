package import RaftStorage

/// Why the node cannot start or go on. Scope: the node; the process ends with `code` and says the rest as its last
/// line.
package struct NodeFailure: Error, Hashable, Sendable {
    package var code: ExitCode
    /// What happened, with the values that show it: `listen.redis 127.0.0.1:6400: address already in use`.
    package var cause: String
    /// What the operator does next: `stop the other process or choose another port`.
    package var remedy: String
    /// What of the data directory is damaged, where that is known and the other members have it.
    package var damage: Repair.Loss?
    /// The process begins anew instead of ending: the next start repairs what is damaged. It is noted on disk.
    package var restarts = false

    package init(_ code: ExitCode, cause: String, remedy: String) {
        self.code = code
        self.cause = cause
        self.remedy = remedy
    }

    /// The line that ends the log, without priority and newline:
    /// `roostd: exit 66 (data directory of another node …): cause; next step`.
    package var lastLine: String {
        "roostd: \(self)".split(whereSeparator: \.isNewline).joined(separator: " ")
    }
}

extension NodeFailure: CustomStringConvertible {
    package var description: String { "exit \(code.rawValue) (\(code.meaning)): \(cause); \(remedy)" }
}
