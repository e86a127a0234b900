/// What `ROOST.MEMBER` and `ROOST.DEBUG` ask of the node.
package enum AdminRequest: Hashable, Sendable {
    /// Who belongs to the cluster, as this node has applied it.
    case listMembers
    /// Makes room for a node that does not run yet: a learner that will come from this peer address.
    ///
    /// `id` nil: the next one that is free. `staysLearner`: it is not promoted by itself.
    case addMember(peer: String, id: UInt64?, staysLearner: Bool)
    /// Makes a learner a voter.
    case promote(UInt64)
    case remove(UInt64)
    /// Hands leadership to this voter; nil: to the one whose log is longest.
    case transfer(to: UInt64?)
    /// The words after `ROOST.DEBUG NET`.
    case debugNetwork([String])
    /// The words after `ROOST.DEBUG FAILPOINT`.
    case debugFailpoint([String])
}

/// What the node answers to an `AdminRequest`.
package enum AdminReply: Hashable, Sendable {
    case ok
    case number(UInt64)
    /// Ascending by id.
    case members([AdminMember])
    case lines([String])
    /// A line that begins with an error word of the interface.
    case failure(String)
}

/// A member of the cluster in the words of `ROOST.MEMBER LIST`.
package struct AdminMember: Hashable, Sendable {
    /// Each as the list shows it.
    package enum Role: String, Sendable {
        case voter
        case learner
        /// A voter of the configuration that is being left.
        case leaving
    }

    package var node: UInt64
    package var role: Role
    package var isLeader: Bool
    /// Where peers reach it; empty when not known.
    package var peer: String
    /// Where clients reach it; empty when not known.
    package var redis: String
    /// Where operators reach it; empty when not known.
    package var http: String

    package init(node: UInt64, role: Role, isLeader: Bool, peer: String, redis: String, http: String) {
        self.node = node
        self.role = role
        self.isLeader = isLeader
        self.peer = peer
        self.redis = redis
        self.http = http
    }
}
