/// Damage of a file that a node in use does without, and its next start needs: the node goes on, and an operator is told
/// while there is time.
package struct StartHazard: Hashable, Sendable, CustomStringConvertible {
    /// What can still be done while the node runs.
    enum WayOut {
        /// Nobody else has what stood there, or has it written again.
        case replacement
        /// The next start writes the file anew, if nothing else is damaged.
        case restart
        /// What it holds is of no use any more.
        case removal
    }

    /// What is wrong, with the file.
    package var message: String
    /// What an operator does next.
    package var remedy: String

    init(_ message: String, _ wayOut: WayOut) {
        self.message = message
        remedy =
            switch wayOut {
            case .replacement:
                """
                the node goes on, and could not start again: don't restart it; let a new node join, then remove this \
                one (docs/recovery.md)
                """
            case .restart: "restart the node, which writes it anew; until then it would not repair itself"
            case .removal: "remove it: until then the node would not repair itself"
            }
    }

    package var description: String { "\(message); \(remedy)" }
}
