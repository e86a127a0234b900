/// When the operations of an open loop are meant to begin: at a constant rate, whatever the server does. An operation
/// that could not be sent in time keeps the time at which it should have been: its latency counts from there, so that a
/// server that stalls cannot hide the wait of those behind (Gil Tene's "coordinated omission").
struct OpenLoop: Sendable {
    /// Nanoseconds.
    let start: UInt64
    let end: UInt64
    private let interval: Double
    private let offset: Double
    private(set) var sent: UInt64 = 0

    /// The operations of one thread of `threads`, which take turns.
    init(start: UInt64, end: UInt64, perSecond: Int, thread: Int = 0, threads: Int = 1) {
        (self.start, self.end) = (start, end)
        interval = 1_000_000_000 / Double(perSecond) * Double(threads)
        offset = interval * Double(thread) / Double(threads)
    }

    /// The moment of the next operation, nil when all are sent.
    var next: UInt64? {
        let moment = start + UInt64(offset + Double(sent) * interval)
        return moment < end ? moment : nil
    }

    mutating func advance() { sent += 1 }

    /// The operation that should have begun by now, if one did not.
    func due(at now: UInt64) -> UInt64? {
        guard let next, next <= now else { return nil }
        return next
    }
}
