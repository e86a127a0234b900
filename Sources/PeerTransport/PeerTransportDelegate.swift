package import Raft

/// What a transport tells the node. Every call comes on an event loop, possibly on several at once
/// and already before `PeerTransport.start` returns: be quick, never block.
package protocol PeerTransportDelegate: AnyObject, Sendable {
    /// All complete messages of one turn of the event loop, in order, at least one.
    func peerMessages(_ messages: [PeerMessage], from node: NodeID)

    /// Both sides have agreed; comes before the first message of the connection.
    func peerConnected(_ identity: PeerIdentity, direction: LinkDirection)

    /// A connection that `peerConnected` announced is gone.
    ///
    /// `.dialled`: whatever `send` took for this node and was not delivered by now is lost (`Input.unreachable`).
    /// `.accepted` with `LinkEnd.closedByPeer`: the peer's process probably ended (a hint for `Input.leaderLost`).
    func peerDisconnected(_ node: NodeID, direction: LinkDirection, reason: LinkEnd)

    /// Asked in every handshake of a link or a snapshot, by both sides, once protocol, cluster and node ids fit.
    func admitPeer(_ identity: PeerIdentity) -> PeerVerdict

    /// A peer answered with `PeerVerdict.removed`: by what it knows, this node is no member any more and never will be.
    /// Comes again with every attempt to dial it.
    ///
    /// - Parameter peer: of this cluster, and who this node meant to reach or admitted. Whether it is the one that this
    ///   node knows is for the delegate to say: an incarnation is not checked when it is dialled.
    func peerSaysRemoved(by peer: PeerIdentity, sentence: String)

    /// A peer answered with `PeerVerdict.anotherDirectory`. Comes again with every attempt to dial it.
    func peerKnowsAnotherDirectory(_ node: NodeID)

    /// A peer wants to send a snapshot; connections of its own carry it, and an earlier one from the same peer has
    /// ended before this is called.
    ///
    /// - Parameter answer: call it once, from any thread; nothing is read from the connection before. The peer gives up
    ///   after `PeerTransportLimits.snapshotStallTimeout` and offers again.
    func snapshotOffered(_ offer: SnapshotOffer, answer: @escaping @Sendable (SnapshotAnswer) -> Void)

    /// A node without an id asks to be taken in. Only its cluster name was checked.
    ///
    /// Asked again, with the same incarnation, when an answer was lost: it must then get the same id.
    ///
    /// - Parameter answer: call it once, from any thread, within `PeerTransportLimits.joinTimeout`; later calls have no
    ///   effect (the node was told to try again).
    func joinRequested(_ request: JoinRequest, answer: @escaping @Sendable (JoinAnswer) -> Void)
}

/// Who opened a connection. Each node sends over the connections that it dialled and receives over those it accepted.
package enum LinkDirection: String, Hashable, Sendable {
    case dialled
    case accepted
}

/// Why a connection ended.
package enum LinkEnd: Hashable, Sendable {
    /// The other side's process, or a proxy between, closed or reset it.
    case closedByPeer
    /// Nothing was heard for `PeerTransportLimits.linkTimeout`.
    case silent
    /// The peer sent what the protocol forbids.
    case protocolError(String)
    /// The peer opened a newer connection.
    case replaced
    /// The operating system reported an error.
    case failed(String)
    /// This side's `stop()` or `setPeers(_:)`.
    case stopped
}

extension LinkEnd: CustomStringConvertible {
    package var description: String {
        switch self {
        case .closedByPeer: "the peer closed the connection"
        case .silent: "the peer was silent for too long"
        case .protocolError(let what): "the peer broke the protocol: \(what)"
        case .replaced: "the peer opened a newer connection"
        case .failed(let what): what
        case .stopped: "this node closed the connection"
        }
    }
}
