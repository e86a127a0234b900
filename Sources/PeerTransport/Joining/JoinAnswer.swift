package import Raft

/// What a member says to a node that wants to join.
package enum JoinAnswer: Hashable, Sendable {
    /// The node is a learner of the cluster now: the change that adds it is committed.
    case accepted(JoinAcceptance)
    /// Only the leader can say; this is its peer address.
    case redirect(PeerAddress)
    /// One sentence that says why not and what to do.
    case refused(String, mayTryAgain: Bool)
}

/// Everything with which a new node makes its data directory and finds the others.
package struct JoinAcceptance: Hashable, Sendable {
    /// The id of the new node, for ever.
    package var node: NodeID
    package var clusterID: UInt64
    package var clusterName: String
    /// The ids with which the cluster was founded, ascending.
    package var founders: [NodeID]
    /// Everyone who belongs to the cluster now, the new node too, ascending by id.
    package var members: [JoinMember]

    package init(
        node: NodeID, clusterID: UInt64, clusterName: String, founders: [NodeID], members: [JoinMember]
    ) {
        self.node = node
        self.clusterID = clusterID
        self.clusterName = clusterName
        self.founders = founders
        self.members = members
    }
}

/// One member, as a new node is told of it.
package struct JoinMember: Hashable, Sendable {
    package var node: NodeID
    /// Of its data directory; 0 if it is not known.
    package var incarnation: UInt64
    /// Each as `host:port`, empty if it is not known.
    package var advertisedPeer: String
    package var advertisedRedis: String
    package var advertisedHTTP: String

    package init(
        node: NodeID, incarnation: UInt64, advertisedPeer: String, advertisedRedis: String, advertisedHTTP: String
    ) {
        self.node = node
        self.incarnation = incarnation
        self.advertisedPeer = advertisedPeer
        self.advertisedRedis = advertisedRedis
        self.advertisedHTTP = advertisedHTTP
    }
}
