import Glibc
package import Raft

/// A queue that many threads fill and one thread empties, all at once: whatever is there is one batch.
///
/// The consumer sleeps on a condition variable against the monotonic clock; producers signal only when it sleeps, once
/// for each sleep and behind the lock, so that a busy consumer costs a producer one uncontended lock, and one that wakes
/// finds the lock free.
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
        unlockAndSignal()
    }

    package func push(contentsOf more: some Sequence<Element>) {
        pthread_mutex_lock(mutex)
        elements.append(contentsOf: more)
        unlockAndSignal()
    }

    /// Adds an element and wakes nobody: `signal` must follow, unless the caller takes what is queued himself.
    package func add(_ element: Element) {
        pthread_mutex_lock(mutex)
        elements.append(element)
        pthread_mutex_unlock(mutex)
    }

    /// Wakes the consumer if it sleeps although something is queued.
    package func signal() {
        pthread_mutex_lock(mutex)
        if elements.isEmpty { pthread_mutex_unlock(mutex) } else { unlockAndSignal() }
    }

    /// Ends a `drain` or a `wait`, or the next one, although nothing came.
    package func wake() {
        pthread_mutex_lock(mutex)
        isWoken = true
        unlockAndSignal()
    }

    /// Moves everything queued into `batch` (which must be empty), waiting until something comes or `deadline` passes.
    package func drain(into batch: inout [Element], until deadline: MonotonicTime) {
        pthread_mutex_lock(mutex)
        sleep(until: deadline)
        swap(&batch, &elements)
        pthread_mutex_unlock(mutex)
    }

    /// Waits as `drain` does, and takes nothing.
    package func wait(until deadline: MonotonicTime) {
        pthread_mutex_lock(mutex)
        sleep(until: deadline)
        pthread_mutex_unlock(mutex)
    }

    /// Moves everything queued into `batch` (which must be empty), without waiting.
    package func take(into batch: inout [Element]) {
        pthread_mutex_lock(mutex)
        swap(&batch, &elements)
        pthread_mutex_unlock(mutex)
    }

    private func sleep(until deadline: MonotonicTime) {
        while elements.isEmpty && !isWoken {
            isSleeping = true
            let outcome = waitForSignal(until: deadline)
            isSleeping = false
            if outcome == ETIMEDOUT { break }
        }
        isWoken = false
    }

    package var isEmpty: Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return elements.isEmpty
    }

    private func unlockAndSignal() {
        let mustSignal = isSleeping
        isSleeping = false
        pthread_mutex_unlock(mutex)
        if mustSignal { pthread_cond_signal(condition) }
    }

    private func waitForSignal(until deadline: MonotonicTime) -> Int32 {
        guard deadline < .never else { return pthread_cond_wait(condition, mutex) }
        var time = timespec(
            tv_sec: Int(deadline.nanoseconds / 1_000_000_000), tv_nsec: Int(deadline.nanoseconds % 1_000_000_000))
        return pthread_cond_timedwait(condition, mutex, &time)
    }
}
