/// How long a test goes on with something: for its time, and then until enough has come of it. On a slow machine that
/// takes longer, but not for ever.
struct Stretch {
    private let end: ContinuousClock.Instant

    init(_ duration: Duration) { end = .now + duration }

    func goesOn(until isEnough: @autoclosure () -> Bool) -> Bool {
        let now = ContinuousClock.now
        return now < end || (now < end + .patience && !isEnough())
    }
}
