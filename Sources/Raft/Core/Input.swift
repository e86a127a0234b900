/// What the shell tells the core. Every call of `RaftCore.step` also tells the time.
public enum Input: Sendable {
    /// Nothing but the time; call it at the latest at `RaftCore.nextDeadline`.
    case timeAdvanced
    case received(Message)
    /// In order. Each is answered by `Effect.proposalAccepted` or `.proposalRefused`, in the same step.
    case proposed([Proposal])
    /// Somebody at this follower waits for what the log holds now: tell it at once when that is committed. Means nothing to
    /// others than leaders.
    case commitAwaited(by: NodeID)
    /// Asks for a read index for everything that the caller queued under `token`: `.readReady` or `.readFailed`.
    case readIndexRequested(ReadToken)
    /// Every ticket up to and including this one is durable.
    case persisted(PersistTicket)
    /// The state machine has applied everything up to and including `index`.
    case applied(LogIndex)
    /// The entries that an `Effect.fetch` asked for: contiguous from `request.from`, at least one; none if they were cut off
    /// meanwhile.
    case fetched(FetchRequest, entries: [Entry])
    /// The log was cut up to and including this entry; it is gone from the store.
    case compacted(EntryID)
    /// The link to this node broke: what was sent and not acknowledged may be lost.
    case unreachable(NodeID)
    /// Forget the leader, so that an election may start at once: its process closed the connection.
    case leaderLost(NodeID)
    /// Like `proposed`, for one change of the membership; at most one may be in the log and not applied.
    case membershipChangeProposed(ProposalToken, MembershipChange)
    /// Hand leadership to this voter, or (`nil`) to the one whose log is longest. Answered by `Effect.transferEnded`.
    case transferRequested(to: NodeID?)
    /// How the snapshot went that an `Effect.sendSnapshot` asked for.
    case snapshotReported(to: NodeID, SnapshotReport)
    /// A leader's snapshot has arrived, whole and checked: `from` sent it in `term`. Answered by
    /// `Effect.installSnapshot` or `Effect.discardSnapshot`; by nothing when it is being installed already.
    case snapshotReceived(SnapshotMeta, from: NodeID, term: Term)
    /// The snapshot of an `Effect.installSnapshot` is installed, durably.
    case snapshotInstalled(SnapshotMeta)
    /// Whether this node's disk has no room for more entries. Full: it takes no entries of others and no
    /// proposals, still votes, and hands leadership over. Not full at the start.
    case diskFull(Bool)
    /// Lifts the ban that `RestoredState.mayVote` began with: the shell knows that this node has nothing to forget.
    case votingAllowed
}

/// How sending a snapshot ended.
public enum SnapshotReport: Hashable, Sendable {
    /// The follower has all of a snapshot up to this index; whether it installs it, its acknowledgement will say.
    case delivered(LogIndex)
    /// It did not get there. The core asks again when the follower is heard.
    case failed
}
