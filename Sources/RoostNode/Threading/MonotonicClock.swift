import Glibc
package import Raft

/// The node's only readings of clocks: everything below is told the time.
package enum SystemClock {
    /// CLOCK_MONOTONIC, the clock that `Inbox` sleeps by.
    package static func monotonic() -> MonotonicTime {
        MonotonicTime(nanoseconds: nanoseconds(of: CLOCK_MONOTONIC))
    }

    /// Milliseconds since 1970 (UTC). It may jump: `StampClock` makes it usable.
    package static func wallMilliseconds() -> UInt64 { nanoseconds(of: CLOCK_REALTIME) / 1_000_000 }

    private static func nanoseconds(of clock: clockid_t) -> UInt64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}

/// The stamps a leader writes into entries: the wall clock, but never back.
struct StampClock {
    private var last: UInt64 = 0

    /// Notes a stamp that was applied, so that the stamps of this node as a leader go on from there.
    mutating func observe(_ stamp: UInt64) { last = max(last, stamp) }

    mutating func next(wallMilliseconds: UInt64) -> UInt64 {
        last = max(last, wallMilliseconds)
        return last
    }
}
