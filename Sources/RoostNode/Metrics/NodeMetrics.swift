package import Raft
import Synchronization

/// What this node counts and times, from any thread.
package final class NodeMetrics: Sendable {
    /// One synced write of the log, however many entries.
    package let logSync = LatencyHistogram()
    /// One page applied to the state.
    package let apply = LatencyHistogram()
    /// Commands of this node's clients that were answered from the apply stream.
    package let settledCommands = Counter()
    /// Keys that were removed, and removals of all keys, whoever asked for them.
    package let removals = Counter()
    /// Applied, and in no flush yet: what a restart would apply again. As of the last look of `Maintenance`, which looks once
    /// a second or more often.
    package var unflushed: Unflushed {
        get { latestUnflushed.withLock { $0 } }
        set { latestUnflushed.withLock { $0 = newValue } }
    }
    private let latestUnflushed = Mutex(Unflushed())
    package let proposedBlocks = Counter()
    package let proposedSegments = Counter()
    package let forwardedSegments = Counter()
    package let resentSegments = Counter()
    package let refusedForwards = Counter()
    package let readRounds = Counter()
    package let inDoubt = Counter()
    package let parkedExpired = Counter()
    package let leaderChanges = Counter()
    /// Read and found right by `Scrub`.
    package let scrubbedBytes = Counter()
    package let scrubPasses = Counter()
    /// When the last pass ended, in seconds since 1970; 0: none has since the start. Only `Scrub` sets it.
    package let lastScrubSeconds = Counter()

    /// Of the state, read for a comparison of the replicas.
    package let comparedBytes = Counter()
    /// Asked for as a leader.
    package let comparisonRounds = Counter()
    /// Ended as a leader without a difference.
    package let comparisonPasses = Counter()
    /// When the last of these ended, in seconds since 1970; 0: none has since the start. Only the consensus thread sets it.
    package let lastComparisonSeconds = Counter()
    /// Found as a leader.
    package let differences = Counter()

    package init() {}

    /// A 64th of what the policy allows may be counted although it is durable.
    package struct Unflushed: Hashable, Sendable {
        package var entries = 0
        /// Of their payloads.
        package var bytes = 0
        /// When the oldest was applied; nil: there is none.
        package var oldest: MonotonicTime?
    }

    package struct Counter: ~Copyable, Sendable {
        private let value = Atomic<Int>(0)
        package init() {}
        package var current: Int { value.load(ordering: .relaxed) }
        package func add(_ amount: Int = 1) { value.wrappingAdd(amount, ordering: .relaxed) }
    }
}
