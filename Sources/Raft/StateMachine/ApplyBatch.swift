public import ByteCoding

/// Committed entries on their way into a state machine, to be applied in one atomic step.
public struct ApplyBatch: Hashable, Sendable {
    /// Contiguous, maybe none.
    public let entries: [Entry]
    /// Where the machine is when it has applied them. Belongs into the same atomic write as their effects.
    public let end: SnapshotMeta

    /// - Parameters:
    ///   - entries: those of one `Effect.apply`, or of several in their order.
    ///   - start: where the machine is; the first entry follows it.
    /// - Throws: `MalformedBytes` when a change of the membership cannot be read: a newer version made it. Scope: the node;
    ///   it must stop, and be updated.
    /// - Precondition: no entry is missing.
    public init(_ entries: [Entry], after start: SnapshotMeta) throws(MalformedBytes) {
        var end = start
        for entry in entries {
            precondition(entry.index == end.index.next, "entry \(entry.id) to be applied after \(end.id)")
            end.id = entry.id
            if entry.kind == .membership { end.membership = try end.membership.after(entry.payload) }
        }
        self.entries = entries
        self.end = end
    }

    /// What callers proposed. The other entries (a leader's first, changes of the membership) move the position alone.
    public var commands: some Sequence<Entry> { entries.lazy.filter { $0.kind == .normal } }
}

extension Membership {
    /// A change that does not fit is without effect, here as in the core.
    fileprivate func after(_ payload: Bytes) throws(MalformedBytes) -> Membership {
        let change = try MembershipChange(decoding: payload)
        return (try? applying(change)) ?? self
    }
}
