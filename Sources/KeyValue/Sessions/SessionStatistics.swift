/// What the sessions of a group have met since this process began: for metrics, and for tests that must know whether a
/// rare path was taken. Counted beside the state; nothing that is applied depends on it.
package struct SessionStatistics: Hashable, Sendable {
    /// Sessions in the state now; 0 as long as no session command has come since the start.
    package var open = 0
    package var opened = 0
    package var closed = 0
    /// Removed because a stamp showed that their idle time was over.
    package var expired = 0
    /// Removed because they were the least recently used ones beyond the limit.
    package var evicted = 0
    /// Requests that were new to their session.
    package var executed = 0
    /// Requests that were answered with the outcome of an earlier one.
    package var repeated = 0
    /// Requests below the window.
    package var stale = 0
    /// Requests of no session.
    package var unknown = 0
    /// Times that the sessions were read from the state: once, and once more for each state that was replaced.
    package var loaded = 0

    package init() {}
}
