import DequeModule

/// The window of append messages that are on their way to one follower and not acknowledged.
///
/// Bounded by count and by bytes; the bytes are a soft limit, which the last message may exceed. Grows as it is used,
/// so that an idle group costs nothing.
struct Inflights: Hashable, Sendable {
    private struct Sent: Hashable, Sendable {
        var lastIndex: LogIndex
        var bytes: Int
    }

    private var sent: Deque<Sent> = []
    private(set) var bytes = 0
    let maxMessages: Int
    let maxBytes: Int

    init(maxMessages: Int, maxBytes: Int) {
        self.maxMessages = maxMessages
        self.maxBytes = maxBytes
    }

    var count: Int { sent.count }
    var isFull: Bool { sent.count >= maxMessages || bytes >= maxBytes }

    /// The last entry that is under way; `nil`: none is.
    var lastIndex: LogIndex? { sent.last?.lastIndex }

    /// Notes a message whose last entry is `lastIndex`.
    mutating func add(lastIndex: LogIndex, bytes: Int) {
        sent.append(Sent(lastIndex: lastIndex, bytes: bytes))
        self.bytes += bytes
    }

    /// Frees every message that ends at or before `index`.
    mutating func free(through index: LogIndex) {
        while let oldest = sent.first, oldest.lastIndex <= index {
            bytes -= oldest.bytes
            sent.removeFirst()
        }
    }

    mutating func reset() {
        sent.removeAll(keepingCapacity: true)
        bytes = 0
    }
}
