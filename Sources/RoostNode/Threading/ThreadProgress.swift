package import Raft
import Synchronization

/// Whether a thread gets on: idle, or busy since when. For the watchdog and the metrics.
package final class ThreadProgress: Sendable {
    /// 0: idle; else the monotonic nanoseconds at which the work under way began.
    private let busySince = Atomic<UInt64>(0)

    package init() {}

    func busy() { busySince.store(SystemClock.monotonic().nanoseconds, ordering: .relaxed) }
    func idle() { busySince.store(0, ordering: .relaxed) }

    /// How long the work under way has taken; zero when idle.
    package func busyFor(at now: MonotonicTime) -> Duration {
        let since = busySince.load(ordering: .relaxed)
        return since == 0 ? .zero : now.since(MonotonicTime(nanoseconds: since))
    }
}
