import ByteCoding
package import Raft

/// Who the members of a cluster are and where they are found: replicated beside the membership, in the applied record,
/// and changed by the same entries.
///
/// ```
/// highest id u64 | count u32 | (node u64 | member)*       ascending by node
/// ```
package struct ClusterDirectory: Hashable, Sendable {
    /// What is known of the members; not necessarily of all.
    package private(set) var members = MemberTable()
    /// The highest node id that was ever used in this cluster: an id is never used again for another node.
    package private(set) var highestID: NodeID

    /// What every node of a cluster begins with: the founders' ids are used; nobody's addresses are known.
    package init(founders: some Sequence<NodeID>) { highestID = founders.max() ?? NodeID(0) }

    /// Nil for a node that nothing was said of, or that is no member any more.
    package subscript(node: NodeID) -> Member? { members[node] }

    /// Whether `node` was a member once and is none now: its id stays taken for ever. `membership` is the one that
    /// belongs to this directory.
    package func isRemoved(_ node: NodeID, from membership: Membership) -> Bool {
        node <= highestID && !membership.contains(node)
    }

    /// The directory after `change`, which made the membership `membership`: a pure function, so that every node comes
    /// to the same. Not for a change that the membership refuses: that is without effect here, too.
    ///
    /// What the change's context says of members is taken over. Members that are gone are forgotten, though not before
    /// they have left a joint configuration, since the others must reach them until then.
    ///
    /// - Throws: `.newerFormat` for a context that is no `DirectoryUpdate`. The node must stop: others
    ///   may have understood it.
    package func applying(
        _ change: MembershipChange, resulting membership: Membership
    ) throws(StorageError) -> ClusterDirectory {
        let update = try DirectoryUpdate(decoding: change.context)
        var result = self
        for entry in update.members.entries where membership.contains(entry.node) {
            result.members[entry.node] = entry.member
        }
        for entry in result.members.entries where !membership.contains(entry.node) {
            result.members[entry.node] = nil
        }
        for step in change.steps { result.highestID = max(result.highestID, step.node) }
        return result
    }

    func append(to writer: inout ByteWriter) {
        writer.append(highestID.rawValue)
        members.append(to: &writer)
    }

    init(reading reader: inout ByteReader) throws(MalformedBytes) {
        highestID = NodeID(try reader.u64("highest id"))
        members = try MemberTable(reading: &reader)
    }
}
