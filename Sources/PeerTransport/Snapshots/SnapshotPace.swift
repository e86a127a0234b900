import NIOCore

/// Keeps a stream below a rate: after each piece it says when the next may go.
struct SnapshotPace: Sendable {
    /// 0: no limit.
    let bytesPerSecond: Int
    private var next = NIODeadline.uptimeNanoseconds(0)

    /// Slower than this no stream is held: it would look dead.
    static let minBytesPerSecond = 4 << 10
    /// How many pieces go out in a second at least, so that a slow stream still flows.
    private static let piecesPerSecond = 4

    init(bytesPerSecond: Int) {
        self.bytesPerSecond = bytesPerSecond == 0 ? 0 : max(bytesPerSecond, Self.minBytesPerSecond)
    }

    /// The largest piece that keeps the stream flowing.
    func pieceBytes(atMost bytes: Int) -> Int {
        bytesPerSecond == 0 ? bytes : min(bytes, bytesPerSecond / Self.piecesPerSecond)
    }

    /// When the next piece may go.
    func nextPiece(now: NIODeadline) -> NIODeadline { bytesPerSecond == 0 ? now : max(next, now) }

    /// A piece of that size goes now. Time in which nothing went is not made up for.
    mutating func spend(_ bytes: Int, now: NIODeadline) {
        guard bytesPerSecond > 0 else { return }
        let (seconds, rest) = bytes.quotientAndRemainder(dividingBy: bytesPerSecond)
        next =
            max(next, now)
            + .nanoseconds(Int64(seconds) * 1_000_000_000 + Int64(rest) * 1_000_000_000 / Int64(bytesPerSecond))
    }
}
