/// Rules that must hold whatever happens, always checked, in every build; one that does not stops the core for good.
///
/// They are what can be seen from one node at little cost. What takes more than one node to see is the simulator's
/// business.
enum Rule: String, CaseIterable, Sendable {
    // After each step.

    /// The term only grows.
    case termRegressed = "term-regressed"
    /// One vote a term, and it stays.
    case voteChanged = "vote-changed"
    /// The commit index only grows.
    case commitRegressed = "commit-regressed"
    /// A leader only appends to its own log.
    case leaderAppendOnly = "leader-append-only"
    /// cut <= applied <= applying <= commit <= last, and applying <= durable <= written <= last.
    case indexOrder = "index-order"
    /// match < next <= last + 1; what is under way is the entries between the two, and not more than the window allows.
    case progressOrder = "progress-order"
    /// Nobody leads without a vote, once the others know of it.
    case leaderNotVoter = "leader-not-voter"

    // Where it happens.

    /// No leader contradicts what is committed here.
    case committedEntryTruncated = "committed-entry-truncated"
    /// A term has one leader.
    case twoLeaders = "two-leaders"
    /// No leader counts on an entry that this node lost.
    case commitBeyondLog = "commit-beyond-log"
    /// A leader commits through an entry of its own term (Raft paper, section 5.4.2).
    case commitInTerm = "commit-in-term"
    /// No vote and no acknowledgement leaves before what it promises is durable.
    case promiseNotDurable = "promise-not-durable"
    /// The state machine gets each entry once, in order.
    case applyOrder = "apply-order"
    /// Own term's first entry, and what was committed when the read came <= read index <= commit index.
    case readIndex = "read-index"
    /// A lease rests on a quorum that was heard after the lease began.
    case leaseQuorum = "lease-quorum"
    /// A change of the membership is proposed when the one before is applied.
    case twoChanges = "two-changes"
    /// A membership has voters, and nobody is in it twice.
    case membershipInvalid = "membership-invalid"
    /// Changes apply to a membership that is known ...
    case membershipUnknown = "membership-unknown"
    /// ... and can be read.
    case membershipChange = "membership-change"

    // What the shell says, at the start and later.

    /// What a node starts from is the state of a node that stopped at some moment.
    case restoredState = "restored-state"
    case ticketUnknown = "ticket-unknown"
    case appliedTooFar = "applied-too-far"
    case cutTooFar = "cut-too-far"
    case snapshotUnknown = "snapshot-unknown"
}

extension InvariantViolation {
    init(rule: Rule, detail: String) { self.init(rule: rule.rawValue, detail: detail) }
}
