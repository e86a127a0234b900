/// What a snapshot of the state machine stands for: all entries up to and including `id`.
public struct SnapshotMeta: Hashable, Sendable {
    /// The last entry that the snapshot holds the effects of.
    public var id: EntryID
    /// The membership as of that entry.
    public var membership: Membership

    public var index: LogIndex { id.index }

    public init(id: EntryID, membership: Membership) {
        self.id = id
        self.membership = membership
    }
}
