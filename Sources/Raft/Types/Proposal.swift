public import ByteCoding

/// Names a proposal towards the caller that made it; opaque to the core and not stored.
public struct ProposalToken: Hashable, Sendable {
    public var rawValue: UInt64
    public init(_ value: UInt64) { rawValue = value }
}

/// Bytes that a caller wants in the log.
public struct Proposal: Hashable, Sendable {
    public var token: ProposalToken
    public var payload: Bytes
    public init(token: ProposalToken, payload: Bytes) {
        self.token = token
        self.payload = payload
    }
}

/// Why a proposal certainly did not enter the log.
public enum ProposalRefusal: Hashable, Sendable {
    /// This node is not the leader; `leader` is, as far as it knows.
    case notLeader(leader: NodeID?)
    /// `maxUncommittedBytes` is reached: try again when entries have committed.
    case uncommittedLimit
    /// Too much is committed and not applied here (`Configuration.maxUnappliedBytes`): retry later.
    case unappliedLimit
    /// This node's disk has no room (`Input.diskFull`).
    case diskFull
    /// Leadership is on its way to `target`; it ends or comes back within an election timeout: try again then.
    case transferring(target: NodeID)
    /// A membership change is in the log and not applied: one at a time. Try again later.
    case membershipChangePending
    /// The change does not fit the present membership; trying again does not help.
    case invalidMembershipChange(MembershipChangeError)
}

/// How a proposal that was accepted ended.
public enum ProposalOutcome: Hashable, Sendable {
    /// Its entry is committed.
    case committed(EntryID)
    /// An entry of another term is committed at its index: it certainly never takes effect. (Truncation alone would
    /// prove nothing, another node might still hold and commit it.)
    case lost
    /// A snapshot took the place of its index in this node's log before the outcome was known here. It may have taken
    /// effect.
    case unknown
}
