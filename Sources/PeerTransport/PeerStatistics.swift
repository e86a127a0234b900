package import Raft

/// What a transport knows about its links at one moment. Counters count from `PeerTransport.start` on.
package struct PeerTransportStatistics: Sendable {
    /// By node id, ascending: every peer that is dialled, and every node whose connection was accepted.
    package var peers: [PeerStatistics]
    /// Accepted connections that are still in their handshake.
    package var pendingHandshakes: Int
    /// Accepted connections that were closed without a link: garbage, refused peers, time-outs, too many at once.
    package var turnedAway: UInt64
    /// Messages for nodes that this transport does not dial.
    package var unroutableMessages: UInt64
}

/// The state of the links with one peer.
package struct PeerStatistics: Hashable, Sendable {
    package var node: NodeID
    /// Where it is dialled; `nil` for a node that only dials us.
    package var address: PeerAddress?
    /// As it told in its last handshake.
    package var identity: PeerIdentity?
    /// Whether messages can be sent to it now.
    package var isConnected = false
    /// Whether its own connection to this node is up.
    package var isAccepted = false
    package var queuedMessages = 0
    package var queuedBytes = 0
    package var sentFrames: UInt64 = 0
    package var sentBytes: UInt64 = 0
    package var receivedFrames: UInt64 = 0
    package var receivedBytes: UInt64 = 0
    /// Refused by `send` because a queue was full or the message too large.
    package var droppedByLimit: UInt64 = 0
    /// Refused by `send` because the link was down, or lost from the queue when it broke.
    package var droppedByDisconnect: UInt64 = 0
    /// How many times the dialled link came up; all but the first are reconnects.
    package var connects: UInt64 = 0
    /// The sentence with which one of the two refused the other last; `nil` once they have agreed.
    package var refusal: String?
    /// Why the dialled link is not up, or why it ended last.
    package var lastFailure: String?
    /// Of the last ping, or of the handshake before the first.
    package var roundTrip: Duration?
    /// The snapshot that this node is sending to it, or receiving from it.
    package var sendingSnapshot: SnapshotProgress?
    package var receivingSnapshot: SnapshotProgress?
    /// Messages and chunks, in both directions, that `NetworkFaults` dropped.
    package var droppedByFaults: UInt64 = 0

    package init(node: NodeID, address: PeerAddress? = nil) {
        self.node = node
        self.address = address
    }
}
