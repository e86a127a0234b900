import NIOCore
import Raft
import Synchronization

/// The connections that peers dialled: those in their handshake, at most one link for each node, and those that carry a
/// snapshot or wait for an id.
final class AcceptedLinks: Sendable {
    private let state = Mutex(State())

    private struct State: Sendable {
        var isStopping = false
        var turnedAway: UInt64 = 0
        /// All of them, in their handshake or not.
        var channels: [ObjectIdentifier: any Channel] = [:]
        var pending: Set<ObjectIdentifier> = []
        var joining: Set<ObjectIdentifier> = []
        var links: [NodeID: Link] = [:]
    }

    private struct Link: Sendable {
        /// The connection that counts, `nil` when it is gone.
        var channel: ObjectIdentifier?
        var identity: PeerIdentity
        var receivedFrames: UInt64 = 0
        var receivedBytes: UInt64 = 0
    }

    /// Takes a new connection in for its handshake.
    ///
    /// - Returns: `false` if there are too many already, or the transport stops: close it.
    func admit(_ channel: any Channel, maxPending: Int) -> Bool {
        state.withLock { state in
            guard !state.isStopping, state.pending.count < maxPending else {
                state.turnedAway += 1
                return false
            }
            state.channels[ObjectIdentifier(channel)] = channel
            state.pending.insert(ObjectIdentifier(channel))
            return true
        }
    }

    /// The handshake is over, and the connection will not be a link.
    func settle(_ channel: any Channel) { state.withLock { _ = $0.pending.remove(ObjectIdentifier(channel)) } }

    /// The handshake is over, and the connection waits for the decision about a new node.
    ///
    /// - Returns: `false` if too many do.
    func join(_ channel: any Channel, maxPending: Int) -> Bool {
        state.withLock { state in
            guard state.joining.count < maxPending else { return false }
            state.pending.remove(ObjectIdentifier(channel))
            state.joining.insert(ObjectIdentifier(channel))
            return true
        }
    }

    /// The connection that is the link of that node, if one is.
    func link(of node: NodeID) -> (any Channel)? {
        state.withLock { state in state.links[node]?.channel.flatMap { state.channels[$0] } }
    }

    /// Whether the connection is the link of that node.
    func isLink(_ channel: any Channel, of node: NodeID) -> Bool {
        state.withLock { $0.links[node]?.channel == ObjectIdentifier(channel) }
    }

    /// Makes the connection the link of that node.
    ///
    /// - Returns: the connection that was it before, which the caller must close and report as replaced.
    func establish(_ identity: PeerIdentity, on channel: any Channel) -> (any Channel)? {
        state.withLock { state in
            state.pending.remove(ObjectIdentifier(channel))
            let before = state.links[identity.node]?.channel
            state.links[identity.node, default: Link(identity: identity)].identity = identity
            state.links[identity.node]?.channel = ObjectIdentifier(channel)
            return before.flatMap { state.channels[$0] }
        }
    }

    /// Counts what came.
    ///
    /// - Returns: whether the connection still is the link of that node; if not, what came must be thrown away.
    func received(frames: Int, bytes: Int, from node: NodeID, on channel: any Channel) -> Bool {
        state.withLock { state in
            guard state.links[node]?.channel == ObjectIdentifier(channel) else { return false }
            state.links[node]?.receivedFrames += UInt64(frames)
            state.links[node]?.receivedBytes += UInt64(bytes)
            return true
        }
    }

    /// Forgets a connection that is closed.
    ///
    /// - Returns: whether it was the link of that node, so that its end must be reported.
    func release(_ channel: any Channel, node: NodeID?) -> Bool {
        state.withLock { state in
            let id = ObjectIdentifier(channel)
            state.channels[id] = nil
            state.joining.remove(id)
            if state.pending.remove(id) != nil { state.turnedAway += 1 }
            guard let node, state.links[node]?.channel == id else { return false }
            state.links[node]?.channel = nil
            return true
        }
    }

    /// Lets no connection in any more.
    ///
    /// - Returns: those that are open.
    func stop() -> [any Channel] {
        state.withLock { state in
            state.isStopping = true
            return Array(state.channels.values)
        }
    }

    /// Puts what this side of the links knows into the statistics.
    func describe(into statistics: inout PeerTransportStatistics) {
        state.withLock { state in
            statistics.pendingHandshakes = state.pending.count
            statistics.turnedAway = state.turnedAway
            for (node, link) in state.links {
                let known = statistics.peers.firstIndex { $0.node == node }
                let place = known ?? statistics.peers.endIndex
                if known == nil { statistics.peers.append(PeerStatistics(node: node)) }
                statistics.peers[place].isAccepted = link.channel != nil
                statistics.peers[place].receivedFrames = link.receivedFrames
                statistics.peers[place].receivedBytes = link.receivedBytes
                statistics.peers[place].identity = statistics.peers[place].identity ?? link.identity
            }
        }
        statistics.peers.sort { $0.node < $1.node }
    }
}
