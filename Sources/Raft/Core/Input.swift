/// What the shell tells the core. Every call of `RaftCore.step` also tells the time.
public enum Input: Sendable {
    /// Nothing but the time; call it at the latest at `RaftCore.nextDeadline`.
    case timeAdvanced
    case received(Message)
    /// In order. Each is answered by `Effect.proposalAccepted` or `.proposalRefused`, in the same step.
    case proposed([Proposal])
    /// Asks for a read index for everything that the caller queued under `token`: `.readReady` or `.readFailed`.
    case readIndexRequested(ReadToken)
    /// Every ticket up to and including this one is durable.
    case persisted(PersistTicket)
    /// The state machine has applied everything up to and including `index`.
    case applied(LogIndex)
    /// The entries that an `Effect.fetch` asked for: contiguous from `request.from`, at least one.
    case fetched(FetchRequest, entries: [Entry])
    /// The log was cut up to and including this entry; it is gone from the store.
    case compacted(EntryID)
    /// The link to this node broke: what was sent and not acknowledged may be lost.
    case unreachable(NodeID)
    /// Forget the leader, so that an election may start at once: its process closed the connection.
    case leaderLost(NodeID)
    /// Lifts the ban that `RestoredState.mayVote` began with: the shell knows that this node has nothing to forget.
    case votingAllowed
}
