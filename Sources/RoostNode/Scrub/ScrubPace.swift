import Raft

/// When the scrub reads next: so many bytes a second while a pass goes on, and a pause between two passes. Pure.
struct ScrubPace {
    private let bytesPerSecond: Int
    /// From the end of a pass to the beginning of the next.
    private let interval: Duration
    private(set) var next: MonotonicTime

    /// A node that starts has better things to do, and one that is started again and again would never get further.
    static let firstDelay = Duration.seconds(60)

    /// - Parameter bytesPerSecond: above 0.
    init(bytesPerSecond: Int, interval: Duration, now: MonotonicTime) {
        self.bytesPerSecond = bytesPerSecond
        self.interval = interval
        next = now.advanced(by: min(interval, Self.firstDelay))
    }

    mutating func didRead(_ bytes: Int, at now: MonotonicTime) {
        let nanoseconds = UInt64(bytes) * 1_000_000_000 / UInt64(bytesPerSecond)
        // A step that took longer than its share is not made up for.
        next = max(next, now).advanced(by: .nanoseconds(Int64(clamping: nanoseconds)))
    }

    mutating func didEndPass(at now: MonotonicTime) { next = now.advanced(by: interval) }
}
