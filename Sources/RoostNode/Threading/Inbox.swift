import Glibc
package import Raft

/// A queue that many threads fill and one thread empties, all at once: whatever is there is one batch.
///
/// The consumer sleeps on a condition variable against the monotonic clock; producers signal only when it sleeps, so
/// that a busy consumer costs a producer one uncontended lock.
///
/// `@unchecked Sendable`: everything mutable is guarded by `mutex`.
package final class Inbox<Element: Sendable>: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var elements: [Element] = []
    private var isSleeping = false
    private var isWoken = false

    package init() {
        mutex = .allocate(capacity: 1)
        condition = .allocate(capacity: 1)
        precondition(pthread_mutex_init(mutex, nil) == 0)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        precondition(pthread_cond_init(condition, &attributes) == 0)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    package func push(_ element: Element) {
        pthread_mutex_lock(mutex)
        elements.append(element)
        signalIfSleeping()
        pthread_mutex_unlock(mutex)
    }

    package func push(contentsOf more: some Sequence<Element>) {
        pthread_mutex_lock(mutex)
        elements.append(contentsOf: more)
        signalIfSleeping()
        pthread_mutex_unlock(mutex)
    }

    /// Ends a `drain` that waits, or the next one, although nothing came.
    package func wake() {
        pthread_mutex_lock(mutex)
        isWoken = true
        signalIfSleeping()
        pthread_mutex_unlock(mutex)
    }

    /// Moves everything queued into `batch` (which must be empty), waiting until something comes or `deadline` passes.
    package func drain(into batch: inout [Element], until deadline: MonotonicTime) {
        pthread_mutex_lock(mutex)
        while elements.isEmpty && !isWoken {
            isSleeping = true
            let outcome = wait(until: deadline)
            isSleeping = false
            if outcome == ETIMEDOUT { break }
        }
        isWoken = false
        swap(&batch, &elements)
        pthread_mutex_unlock(mutex)
    }

    package var isEmpty: Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return elements.isEmpty
    }

    private func signalIfSleeping() {
        if isSleeping { pthread_cond_signal(condition) }
    }

    private func wait(until deadline: MonotonicTime) -> Int32 {
        guard deadline < .never else { return pthread_cond_wait(condition, mutex) }
        var time = timespec(
            tv_sec: Int(deadline.nanoseconds / 1_000_000_000), tv_nsec: Int(deadline.nanoseconds % 1_000_000_000))
        return pthread_cond_timedwait(condition, mutex, &time)
    }
}
