import Raft

/// I6: term, vote, commit and applied index of a process never go back, and what a node's disk had acknowledged is there
/// after a restart.
enum Monotonicity {
    static func check(_ node: NodeLedger, term: Term, commit: LogIndex, applied: LogIndex) throws(Violation) {
        if term < node.term { throw Violation(.monotonicity, "node \(node.id): term from \(node.term) to \(term)") }
        if commit < node.commit {
            throw Violation(.monotonicity, "node \(node.id): commit from \(node.commit) to \(commit)")
        }
        if applied < node.applied {
            throw Violation(.monotonicity, "node \(node.id): applied from \(node.applied) to \(applied)")
        }
    }

    /// What was restored must be the acknowledged writes and a prefix of those under way.
    static func checkRestart(_ node: NodeLedger, _ restored: RestoredState) throws(Violation) {
        if restored.applied < node.flushed {
            throw Violation(
                .monotonicity, "node \(node.id) restarts at \(restored.applied), \(node.flushed) was flushed")
        }
        if restored.commit < node.durableCommit {
            throw Violation(
                .monotonicity,
                "node \(node.id) restarts with commit \(restored.commit), \(node.durableCommit) was on its disk")
        }
        if restored.truncated.index < node.durable.base.index {
            throw Violation(
                .monotonicity,
                "node \(node.id) restarts with a log from \(restored.truncated.index), cut at \(node.durable.base)")
        }
        var (log, hardState) = (node.durable, node.durableHardState)
        if matches(restored, log, hardState) { return }
        for batch in node.pending {
            log.take(batch)
            hardState = batch.hardState ?? hardState
            if matches(restored, log, hardState) { return }
        }
        throw Violation(
            .committedDurability,
            """
            node \(node.id) restarts with \(restored.hardState), log to \(restored.lastIndex) \(restored.termRuns); \
            acknowledged were \(node.durableHardState), log to \(node.durable.lastIndex), with \(node.pending.count) \
            writes under way
            """)
    }

    private static func matches(_ restored: RestoredState, _ log: ShadowLog, _ hardState: HardState) -> Bool {
        guard restored.hardState == hardState, restored.lastIndex == max(log.lastIndex, restored.truncated.index) else {
            return false
        }
        for (place, run) in restored.termRuns.enumerated() {
            let end =
                place + 1 < restored.termRuns.count ? restored.termRuns[place + 1].index.previous : restored.lastIndex
            var index = run.index
            while index <= end {
                if log.term(at: index) != run.term { return false }
                index = index.next
            }
        }
        return true
    }
}
