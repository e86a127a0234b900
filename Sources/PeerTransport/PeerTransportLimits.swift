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

    /// What `maxFrameBytes` must be at least, here and on the other side.
    package static let smallestFrameLimit = 1 << 10

    package init(
        maxFrameBytes: Int = 256 << 10, maxMessageBytes: Int = 80 << 20, maxQueuedBytes: Int = 64 << 20,
        maxQueuedMessages: Int = 65_536, maxPendingHandshakes: Int = 64, handshakeTimeout: Duration = .seconds(2),
        connectTimeout: Duration = .seconds(2), reconnectMin: Duration = .milliseconds(20),
        reconnectMax: Duration = .seconds(1), pingInterval: Duration = .seconds(1), linkTimeout: Duration = .seconds(5)
    ) {
        precondition(
            maxFrameBytes >= Self.smallestFrameLimit,
            "maxFrameBytes \(maxFrameBytes) is below \(Self.smallestFrameLimit)")
        precondition(maxMessageBytes >= maxFrameBytes, "maxMessageBytes \(maxMessageBytes) is below maxFrameBytes")
        precondition(linkTimeout > pingInterval, "linkTimeout \(linkTimeout) leaves no time for a ping")
        precondition(maxQueuedMessages > 0 && maxPendingHandshakes > 0, "a limit of 0 would let nothing through")
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
    }
}
