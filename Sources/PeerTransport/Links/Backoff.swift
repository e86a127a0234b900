/// The pauses between attempts to dial: each failure doubles the pause, up to a limit; the actual pause is chosen at random
/// from its upper half, so that nodes that lost the same peer don't return in step.
struct Backoff: Sendable {
    let min: Duration
    let max: Duration
    private var current: Duration

    init(min: Duration, max: Duration) {
        self.min = min
        self.max = max
        current = min
    }

    /// The pause after one more failure.
    mutating func next(using random: inout some RandomNumberGenerator) -> Duration {
        defer { current = Swift.min(current * 2, max) }
        return current * Double.random(in: 0.5...1, using: &random)
    }

    /// The connection was good: the next pause is the shortest.
    mutating func reset() { current = min }

    /// Trying again soon is pointless: the next pause is the longest.
    mutating func saturate() { current = max }
}
