/// Pauses between rounds of attempts: doubled each time up to a limit, each drawn at random from its upper half, so that
/// many clients that were refused at one moment do not come back at one moment.
struct Backoff {
    private static let first = Duration.milliseconds(50)
    private static let limit = Duration.seconds(1)

    private var ceiling = Backoff.first

    mutating func next() -> Duration {
        defer { ceiling = min(ceiling * 2, Self.limit) }
        return ceiling * Double.random(in: 0.5...1)
    }
}
