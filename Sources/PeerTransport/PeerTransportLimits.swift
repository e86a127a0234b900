/// The limits of the links between peers. Local: they may differ between nodes; each tells the other in the handshake
/// what it takes, so that a sender never exceeds it.
package struct PeerTransportLimits: Hashable, Sendable {
    /// The largest frame, header included, in bytes; larger messages are cut. It is also the most that is handed to the
    /// socket at a time, so a heartbeat waits at most for this much: 256 KiB take 2 ms at 1 Gbit/s. At least 1 KiB.
    /// Default 256 KiB.
    package var maxFrameBytes: Int
    /// The largest message that is sent, or put together from its pieces. Default 80 MiB: above the largest batch.
    package var maxMessageBytes: Int
    /// Bulk messages waiting for one peer, in bytes; the first is always taken, later ones are refused beyond this, the
    /// newest first: what is queued is a run without gaps, and losing its head would make the rest useless.
    /// Default 64 MiB.
    package var maxQueuedBytes: Int
    /// Messages waiting for one peer, for each lane. Default 65,536.
    package var maxQueuedMessages: Int
    /// Accepted connections that have not finished the handshake; further ones are closed at once. Default 64.
    package var maxPendingHandshakes: Int
    /// From the connection to the end of the handshake. Default 2 s.
    package var handshakeTimeout: Duration
    /// From the attempt to the connection. Default 2 s.
    package var connectTimeout: Duration
    /// The first pause before dialling again; each failure doubles it. Default 20 ms.
    package var reconnectMin: Duration
    /// The longest pause, and the pause after a refusal. Default 1 s.
    package var reconnectMax: Duration
    /// How often the dialling side asks whether the other is still there, and measures the round trip. Default 1 s.
    package var pingInterval: Duration
    /// A connection on which nothing is heard for this long is dead. Default 5 s: several pings.
    package var linkTimeout: Duration
    /// What is queued for a peer that leaves, or moves, gets this long to go out before its link is closed. Default 1 s.
    package var drainTimeout: Duration
    /// A snapshot is sent in pieces of this size; less if the other side's frames are smaller, or the rate is low.
    /// Default 256 KiB.
    package var snapshotChunkBytes: Int
    /// How much of a snapshot may be under way to a receiver that has not yet written it, in both processes and the
    /// kernels between: it bounds what a slow disk piles up, and the rate over a long way (4 MiB and 40 ms make
    /// 100 MB/s). Soft by one chunk. Default 4 MiB.
    package var snapshotWindowBytes: Int
    /// How fast each snapshot is sent at most, in bytes for each second; 0: as fast as it goes. Default 0.
    package var snapshotBytesPerSecond: Int
    /// The connection of a snapshot on which the other side makes no progress for this long is closed; the sender dials
    /// anew. Default 10 s.
    package var snapshotStallTimeout: Duration
    /// A snapshot that makes no progress for this long, over however many connections, has failed. Default 60 s.
    package var snapshotTimeout: Duration
    /// How long a receiver may take to check a whole snapshot and make it durable. Default 10 min.
    package var snapshotFinishTimeout: Duration
    /// What `SnapshotSource.metadata` may be at most. Default 64 KiB.
    package var maxSnapshotMetadataBytes: Int
    /// How long this node may take to decide about a node that wants to join, and a joining node waits. Default 30 s:
    /// a change of the membership must be committed.
    package var joinTimeout: Duration
    /// Nodes that may wait for that at the same time; further ones are told to try again. Default 8.
    package var maxPendingJoins: Int

    /// How often the sender of a snapshot looks at its timeouts: often enough for the shortest of them.
    var watchInterval: Duration { min(pingInterval, handshakeTimeout / 2, snapshotStallTimeout / 2) }

    /// What `maxFrameBytes` must be at least, here and on the other side.
    package static let smallestFrameLimit = 1 << 10

    package init(
        maxFrameBytes: Int = 256 << 10, maxMessageBytes: Int = 80 << 20, maxQueuedBytes: Int = 64 << 20,
        maxQueuedMessages: Int = 65_536, maxPendingHandshakes: Int = 64, handshakeTimeout: Duration = .seconds(2),
        connectTimeout: Duration = .seconds(2), reconnectMin: Duration = .milliseconds(20),
        reconnectMax: Duration = .seconds(1), pingInterval: Duration = .seconds(1), linkTimeout: Duration = .seconds(5),
        drainTimeout: Duration = .seconds(1), snapshotChunkBytes: Int = 256 << 10,
        snapshotWindowBytes: Int = 4 << 20, snapshotBytesPerSecond: Int = 0,
        snapshotStallTimeout: Duration = .seconds(10), snapshotTimeout: Duration = .seconds(60),
        snapshotFinishTimeout: Duration = .seconds(600), maxSnapshotMetadataBytes: Int = 64 << 10,
        joinTimeout: Duration = .seconds(30), maxPendingJoins: Int = 8
    ) {
        precondition(
            maxFrameBytes >= Self.smallestFrameLimit,
            "maxFrameBytes \(maxFrameBytes) is below \(Self.smallestFrameLimit)")
        precondition(maxMessageBytes >= maxFrameBytes, "maxMessageBytes \(maxMessageBytes) is below maxFrameBytes")
        precondition(linkTimeout > pingInterval, "linkTimeout \(linkTimeout) leaves no time for a ping")
        precondition(maxQueuedMessages > 0 && maxPendingHandshakes > 0, "a limit of 0 would let nothing through")
        precondition(
            snapshotChunkBytes > 0 && snapshotWindowBytes > 0 && snapshotBytesPerSecond >= 0 && maxPendingJoins > 0,
            "a limit of 0 would let nothing through")
        self.maxFrameBytes = maxFrameBytes
        self.maxMessageBytes = maxMessageBytes
        self.maxQueuedBytes = maxQueuedBytes
        self.maxQueuedMessages = maxQueuedMessages
        self.maxPendingHandshakes = maxPendingHandshakes
        self.handshakeTimeout = handshakeTimeout
        self.connectTimeout = connectTimeout
        self.reconnectMin = reconnectMin
        self.reconnectMax = reconnectMax
        self.pingInterval = pingInterval
        self.linkTimeout = linkTimeout
        self.drainTimeout = drainTimeout
        self.snapshotChunkBytes = snapshotChunkBytes
        self.snapshotWindowBytes = snapshotWindowBytes
        self.snapshotBytesPerSecond = snapshotBytesPerSecond
        self.snapshotStallTimeout = snapshotStallTimeout
        self.snapshotTimeout = snapshotTimeout
        self.snapshotFinishTimeout = snapshotFinishTimeout
        self.maxSnapshotMetadataBytes = maxSnapshotMetadataBytes
        self.joinTimeout = joinTimeout
        self.maxPendingJoins = maxPendingJoins
    }
}
