/// What a core starts from: what the disk holds, after the state machine was brought up to `applied`.
public struct RestoredState: Sendable {
    public var hardState: HardState
    public var membership: Membership
    /// The last entry that was cut off the log (`.zero`: none).
    public var truncated: EntryID
    /// Terms of everything after `truncated`: (first index of a term's run, term), ascending. Empty: no entries.
    public var termRuns: [EntryID]
    /// Index of the last entry; `truncated.index` when the log is empty.
    public var lastIndex: LogIndex
    /// Highest commit index that is known to have been reached; a node campaigns only when it has applied up to it.
    public var commit: LogIndex
    /// The state machine holds everything up to here. `truncated.index <= applied <= lastIndex`.
    public var applied: LogIndex
    /// Every entry after `applied`, contiguous up to `lastIndex`.
    public var unapplied: [Entry]
    /// False on a node that must not vote or campaign yet: a founder whose directory was new although the cluster is
    /// not. It becomes true by itself once the node has durably caught up with a leader's commit index.
    public var mayVote: Bool

    public init(
        hardState: HardState = HardState(), membership: Membership, truncated: EntryID = .zero,
        termRuns: [EntryID] = [], lastIndex: LogIndex = .zero, commit: LogIndex = .zero, applied: LogIndex = .zero,
        unapplied: [Entry] = [], mayVote: Bool = true
    ) {
        self.hardState = hardState
        self.membership = membership
        self.truncated = truncated
        self.termRuns = termRuns
        self.lastIndex = lastIndex
        self.commit = commit
        self.applied = applied
        self.unapplied = unapplied
        self.mayVote = mayVote
    }
}
