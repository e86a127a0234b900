import Glibc
import Synchronization

/// What is ordered at the failpoints of this process.
package enum FailpointBoard {
    private struct Entry {
        var order: FailpointOrder
        var passes: UInt64 = 0
    }

    /// Bit n: something is ordered for the place with that raw value. All that an idle place looks at.
    static let armed = Atomic<UInt64>(0)
    private static let entries = Mutex<[Failpoint: Entry]>([:])

    /// Replaces what was ordered for the place.
    package static func set(_ order: FailpointOrder) {
        // A shift beyond the word is 0: the order would be taken, and nothing would ever come of it.
        precondition(order.place.rawValue < UInt64.bitWidth, "there are more places than bits in the word")
        entries.withLock { entries in
            entries[order.place] = Entry(order: order)
            armed.bitwiseOr(1 << order.place.rawValue, ordering: .relaxed)
        }
    }

    /// Takes the order for one place back, or all of them (`nil`).
    package static func clear(_ place: Failpoint?) {
        entries.withLock { entries in
            for place in place.map({ [$0] }) ?? Failpoint.allCases {
                entries[place] = nil
                armed.bitwiseAnd(~(1 << UInt64(place.rawValue)), ordering: .relaxed)
            }
        }
    }

    /// The order for a place, and how often it was passed since.
    package static func state(of place: Failpoint) -> (order: FailpointOrder, passes: UInt64)? {
        entries.withLock { $0[place].map { ($0.order, $0.passes) } }
    }

    /// Counts the pass, and does what is due: `crash` does not return, `pause` returns afterwards. The rest is the caller's.
    static func reach(_ place: Failpoint) -> FailpointAction? {
        let due = entries.withLock { entries -> FailpointAction? in
            guard var entry = entries[place] else { return nil }
            entry.passes += 1
            entries[place] = entry
            return entry.passes > entry.order.after ? entry.order.action : nil
        }
        switch due {
        case .crash: crash(at: place)
        case .pause(let duration): sleep(duration)
        case .error, .lose, .alter, nil: break
        }
        return due
    }

    /// The line goes past the log, which may have a thread of its own.
    private static func crash(at place: Failpoint) {
        let line = "failpoint \(place.name): crash\n"
        _ = line.withCString { write(STDERR_FILENO, $0, strlen($0)) }
        kill(getpid(), SIGKILL)
        while true { pause() }
    }

    private static func sleep(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        var rest = timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
        withUnsafeMutablePointer(to: &rest) { while nanosleep($0, $0) != 0, errno == EINTR {} }
    }
}
