import Glibc

/// The moment at which waiting ends, by a clock that no one sets.
struct Deadline {
    private let instant: ContinuousClock.Instant

    static func `in`(_ duration: Duration) -> Deadline { Deadline(instant: .now + duration) }

    var remaining: Duration { max(.zero, instant - .now) }

    var hasPassed: Bool { instant <= .now }

    /// For poll(2): rounded up, so that a wait never ends early.
    var remainingMilliseconds: Int32 {
        let (seconds, attoseconds) = remaining.components
        return Int32(clamping: seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }

    func earlier(of duration: Duration) -> Deadline { .in(min(duration, remaining)) }

    func later(of duration: Duration) -> Deadline { .in(max(duration, remaining)) }
}

/// Blocks the calling thread; commands have one thread and nothing else to do.
func pause(_ duration: Duration) {
    let (seconds, attoseconds) = duration.components
    var time = timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
    var rest = timespec()
    while nanosleep(&time, &rest) != 0, errno == EINTR { time = rest }
}
