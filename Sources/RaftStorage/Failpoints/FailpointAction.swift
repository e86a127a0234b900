/// What happens at a `Failpoint`.
package enum FailpointAction: Hashable, Sendable {
    /// The process kills itself with SIGKILL.
    case crash
    /// The storage fails with an I/O error. Where `Failpoint.mayFail`.
    case error
    /// What comes next is left out and reported as done. It breaks what the node promises, and shows that a test sees it.
    /// Where `Failpoint.mayLose`.
    case lose
    /// What comes next is done wrongly: another value than was agreed on. It breaks what the node promises, and shows that
    /// a test sees it. Where `Failpoint.mayAlter`.
    case alter
    /// The thread sleeps.
    case pause(Duration)
}

/// An order for one place.
package struct FailpointOrder: Hashable, Sendable {
    package var place: Failpoint
    package var action: FailpointAction
    /// So many passes go by unharmed before.
    package var after: UInt64

    /// - Parameter after: so many passes go by unharmed before; each later one is harmed.
    package init(_ place: Failpoint, _ action: FailpointAction, after: UInt64 = 0) {
        self.place = place
        self.action = action
        self.after = after
    }
}
