import DequeModule

/// What waits for one peer, in two lanes; a plain value.
///
/// Closed, it takes nothing: a message for a peer that is down would be stale when the link comes up, and Raft sends
/// everything anew. Full, it refuses the newest: what is queued stays a run without gaps.
struct OutboundQueue: Sendable {
    let maxQueuedBytes: Int
    let maxQueuedMessages: Int
    /// Whether the link is up.
    private(set) var isOpen = false
    /// Bulk only.
    private(set) var queuedBytes = 0
    private(set) var droppedByLimit: UInt64 = 0
    private(set) var droppedByDisconnect: UInt64 = 0
    /// Of this connection: what both sides take.
    private var maxMessageBytes = 0
    private var control: Deque<PeerMessage> = []
    private var bulk: Deque<PeerMessage> = []

    init(limits: PeerTransportLimits) {
        maxQueuedBytes = limits.maxQueuedBytes
        maxQueuedMessages = limits.maxQueuedMessages
    }

    var queuedMessages: Int { control.count + bulk.count }

    mutating func open(maxMessageBytes: Int) {
        precondition(!isOpen, "the queue of a link was opened twice")
        isOpen = true
        self.maxMessageBytes = maxMessageBytes
    }

    /// Takes no more; what is queued may still be taken out.
    mutating func seal() { isOpen = false }

    /// Drops everything.
    mutating func close() {
        droppedByDisconnect += UInt64(queuedMessages)
        seal()
        removeAll()
    }

    /// Loses what is queued, and goes on taking messages.
    ///
    /// - Returns: how many messages that were.
    @discardableResult mutating func removeAll() -> Int {
        defer {
            control = []
            bulk = []
            queuedBytes = 0
        }
        return queuedMessages
    }

    /// - Returns: whether the message was taken; if not, it certainly never leaves.
    mutating func offer(_ message: PeerMessage) -> Bool {
        guard isOpen else {
            droppedByDisconnect += 1
            return false
        }
        switch message.lane {
        case .control:
            guard control.count < maxQueuedMessages else { return refuse() }
            control.append(message)
        case .bulk:
            let bytes = message.footprintBytes
            guard bulk.count < maxQueuedMessages, bulk.isEmpty || queuedBytes + bytes <= maxQueuedBytes,
                message.payloadByteCount <= maxMessageBytes
            else { return refuse() }
            bulk.append(message)
            queuedBytes += bytes
        }
        return true
    }

    private mutating func refuse() -> Bool {
        droppedByLimit += 1
        return false
    }

    /// The next of the control lane.
    mutating func takeControl() -> PeerMessage? { control.popFirst() }

    /// The next of the bulk lane, unless its footprint is above `room`.
    mutating func takeBulk(fitting room: Int) -> PeerMessage? {
        guard let first = bulk.first else { return nil }
        let bytes = first.footprintBytes
        guard bytes <= room else { return nil }
        queuedBytes -= bytes
        return bulk.removeFirst()
    }
}
