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

    package struct Counter: ~Copyable, Sendable {
        private let value = Atomic<Int>(0)
        package init() {}
        package var current: Int { value.load(ordering: .relaxed) }
        package func add(_ amount: Int = 1) { value.wrappingAdd(amount, ordering: .relaxed) }
    }
}
