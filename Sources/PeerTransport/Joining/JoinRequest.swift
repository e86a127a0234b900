package import Raft

/// What a node without an id says when it asks to be taken in.
package struct JoinRequest: Hashable, Sendable {
    /// The cluster that it means to join; a member of another refuses. Empty: whichever it finds.
    package var clusterName: String
    /// The random number of its data directory: asked twice with the same, a cluster gives the same id.
    package var incarnation: UInt64
    /// The id that it would like to have, if any.
    package var wantedNode: NodeID?
    /// Where peers, clients and `/metrics` will find it, each as `host:port`.
    package var advertisedPeer: String
    package var advertisedRedis: String
    package var advertisedHTTP: String

    package init(
        clusterName: String, incarnation: UInt64, wantedNode: NodeID? = nil, advertisedPeer: String,
        advertisedRedis: String, advertisedHTTP: String
    ) {
        self.clusterName = clusterName
        self.incarnation = incarnation
        self.wantedNode = wantedNode
        self.advertisedPeer = advertisedPeer
        self.advertisedRedis = advertisedRedis
        self.advertisedHTTP = advertisedHTTP
    }
}
