import ByteCoding
import Raft
import RaftStorage

/// What `MembershipDesk` decides by: the cluster as this node has applied it, and how the others are doing.
struct DeskView {
    /// Entries that a learner may be behind when it is promoted.
    static let tolerableLag: UInt64 = 1_000

    var node: NodeID
    var isLeader: Bool
    /// Whether a quorum will not forget what the membership is; see `RaftCore.isMembershipSettled`.
    var isSettled: Bool
    var membership: Membership
    var directory: ClusterDirectory
    /// Entries of the log that are not on a member's disk yet, for those that were heard lately.
    var lag: [NodeID: UInt64]
    /// Where members are reached, as `MemberBook` knows it: founders may have no address in the directory.
    var contacts: [NodeID: ClusterDirectory.Member]

    func peerAddress(of node: NodeID) -> String? {
        contacts[node]?.peer ?? directory[node]?.peer
    }

    func stranger(_ node: NodeID) -> String {
        "node \(node) is no member; the members are \(membership.all.map { "\($0)" }.joined(separator: ", "))"
    }

    /// Why the cluster can't do without `node` now; nil if it can.
    func objection(toLosing node: NodeID) -> String? {
        guard membership.voters.contains(node) else { return nil }
        let rest = membership.voters.filter { $0 != node }
        if rest.isEmpty { return "node \(node) is the only voter" }
        let reachable = rest.filter { $0 == self.node || lag[$0] != nil }
        if 2 * reachable.count > rest.count { return nil }
        let away = rest.filter { !reachable.contains($0) }.map { "\($0)" }.joined(separator: ", ")
        return "without node \(node) only \(reachable.count) of \(rest.count) voters would be reachable, no majority; "
            + "start or remove node \(away) first"
    }

    /// The directory entry to travel with a change, together with every address that the directory lacks: whoever
    /// joins finds them all in the log.
    func update(setting entry: ClusterDirectory.Member, of node: NodeID) -> Bytes {
        var update = DirectoryUpdate()
        for member in membership.all where (directory[member]?.peer ?? "").isEmpty && member != node {
            if let known = contacts[member] { update.set(known, for: member) }
        }
        update.set(entry, for: node)
        return update.encode()
    }
}
