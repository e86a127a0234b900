package import Raft

/// Who a node is, exchanged in both directions of every handshake.
package struct PeerIdentity: Hashable, Sendable {
    /// Nodes of different clusters refuse each other. Made from the cluster's name and the founders' ids.
    package var clusterID: UInt64
    /// Only for sentences that people read.
    package var clusterName: String
    package var node: NodeID
    /// The random number of the data directory: a node id that returns with another one has lost its disk.
    package var incarnation: UInt64
    /// Whether the data directory holds entries of the cluster, or held some: so the cluster is not new.
    package var hasData: Bool
    /// Where clients reach the node, as `host:port`.
    package var advertisedRedis: String
    /// Where peers reach the node, as `host:port`. Empty: the transport puts in the address that it bound.
    package var advertisedPeer: String
    /// Where `/metrics` and `/status` are, as `host:port`.
    package var advertisedHTTP: String

    package init(
        clusterID: UInt64, clusterName: String, node: NodeID, incarnation: UInt64, hasData: Bool,
        advertisedRedis: String, advertisedPeer: String, advertisedHTTP: String
    ) {
        self.clusterID = clusterID
        self.clusterName = clusterName
        self.node = node
        self.incarnation = incarnation
        self.hasData = hasData
        self.advertisedRedis = advertisedRedis
        self.advertisedPeer = advertisedPeer
        self.advertisedHTTP = advertisedHTTP
    }
}
