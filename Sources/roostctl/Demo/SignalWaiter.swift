import Glibc

/// Blocks the signals that end the demo for the whole process, and hands them out to whoever waits.
struct SignalWaiter {
    enum Event {
        /// SIGINT, SIGTERM or SIGHUP.
        case end
        /// A child changed its state, or the time is over.
        case none
    }

    private var set = sigset_t()

    /// Call before there is a second thread: threads inherit what is blocked.
    init() {
        sigemptyset(&set)
        for signal in [SIGINT, SIGTERM, SIGHUP, SIGCHLD] { sigaddset(&set, signal) }
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    mutating func wait(_ duration: Duration) -> Event {
        let (seconds, attoseconds) = duration.components
        var time = timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
        switch sigtimedwait(&set, nil, &time) {
        case SIGINT, SIGTERM, SIGHUP: return .end
        default: return .none
        }
    }
}
