import NIOCore
import Raft
import Synchronization

/// The snapshots that peers send to this node: at most one for each of them.
final class IncomingSnapshots: Sendable {
    private let streams = Mutex<[NodeID: Stream]>([:])

    private struct Stream: Sendable {
        var channel: any Channel
        var progress: SnapshotProgress?
    }

    /// Makes the connection the one that carries that peer's snapshot.
    ///
    /// - Returns: the connection that did before; the caller must close it and wait for its end.
    func establish(_ peer: NodeID, on channel: any Channel) -> (any Channel)? {
        streams.withLock { streams in
            defer { streams[peer] = Stream(channel: channel) }
            return streams[peer]?.channel
        }
    }

    func report(_ progress: SnapshotProgress, from peer: NodeID, on channel: any Channel) {
        streams.withLock { streams in
            guard streams[peer]?.channel === channel else { return }
            streams[peer]?.progress = progress
        }
    }

    /// The connection of that peer's snapshot, if there is one.
    func channel(of peer: NodeID) -> (any Channel)? { streams.withLock { $0[peer]?.channel } }

    /// Forgets a connection that is closed.
    func release(_ peer: NodeID, on channel: any Channel) {
        streams.withLock { streams in
            if streams[peer]?.channel === channel { streams[peer] = nil }
        }
    }

    func describe(into statistics: inout PeerTransportStatistics) {
        streams.withLock { streams in
            for index in statistics.peers.indices {
                statistics.peers[index].receivingSnapshot = streams[statistics.peers[index].node]?.progress
            }
        }
    }
}
