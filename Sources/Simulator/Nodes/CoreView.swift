import Raft

/// What the simulator looks at after each turn.
///
/// Taken in one call in place: a property of a struct that lies in a class is read from a copy of the struct, and a core is
/// large.
struct CoreView {
    var role = RoleKind.follower
    var term = Term.zero
    var leader: NodeID?
    var commit = LogIndex.zero
    var applied = LogIndex.zero
    var last = LogIndex.zero
    var truncatable = LogIndex.zero
    var nextDeadline = MonotonicTime.never
    var membership = Membership(voters: [])

    /// The term that it leads; `nil`: it does not lead.
    var leading: Term? { role == .leader ? term : nil }
}

extension RaftCore {
    mutating func look(into view: inout CoreView) {
        view.role = role
        view.term = term
        view.leader = leader
        view.commit = commitIndex
        view.applied = appliedIndex
        view.last = lastIndex
        view.truncatable = truncatableIndex
        view.nextDeadline = nextDeadline
        view.membership = membership
    }
}
