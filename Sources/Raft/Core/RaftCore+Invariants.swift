/// Rules that must hold whatever happens; one that does not stops the core for good.
///
/// | rule | where |
/// |---|---|
/// | `term-regressed`, `vote-changed`, `commit-regressed`: they only move forward; one vote a term | after each step |
/// | `index-order`: applied <= applying <= commit <= last; applying <= durable <= written <= last | after each step |
/// | `committed-entry-truncated`: no leader contradicts a committed entry | `+Following` |
/// | `two-leaders`: a term has one leader | `+Following` |
/// | `commit-beyond-log`: a leader counts on nothing that this node lost | `+Following` |
/// | `progress-order`: match < next, match <= last, no more under way than the window allows | after each step of a leader |
/// | `read-index`: own term's first entry <= read index <= commit | `+Reads` |
/// | `ticket-unknown`, `applied-too-far`, `cut-too-far`: the shell reports what it was given | `+Persistence` |
/// | `leader-not-voter`: nobody leads who may not vote, once the others know it | after each step of a leader |
/// | `membership-unknown`, `membership-change`: changes apply to a known membership, and can be read | `+Membership` |
/// | `snapshot-unknown`: only what was asked for is installed | `+Snapshots` |
/// | `restored-state`: what was restored is the state of a node that stopped at some moment | at the start |
///
/// By construction rather than by check: only `advanceCommit` commits on a leader, for entries of its term; only
/// `PersistQueue.completed` lets a held message go; a leader has no way to truncate.
struct Watermarks: Sendable {
    private var hardState: HardState
    private var commit: LogIndex

    init(hardState: HardState, commit: LogIndex) {
        self.hardState = hardState
        self.commit = commit
    }

    /// What moved back; `nil`: nothing did.
    mutating func advance(hardState new: HardState, commit newCommit: LogIndex) -> InvariantViolation? {
        defer {
            hardState = new
            commit = newCommit
        }
        if new.term < hardState.term {
            return InvariantViolation(rule: "term-regressed", detail: "from \(hardState.term) to \(new.term)")
        }
        if new.term == hardState.term, let vote = hardState.vote, vote != new.vote {
            return InvariantViolation(
                rule: "vote-changed", detail: "in term \(new.term) from \(vote) to \(new.vote?.description ?? "none")")
        }
        if newCommit < commit {
            return InvariantViolation(rule: "commit-regressed", detail: "from \(commit) to \(newCommit)")
        }
        return nil
    }
}

extension RaftCore {
    mutating func violate(_ rule: String, _ detail: String) {
        if violation == nil { violation = InvariantViolation(rule: rule, detail: detail) }
    }

    mutating func checkInvariants() {
        if let moved = watermarks.advance(hardState: hardState, commit: log.commitIndex) {
            violate(moved.rule, moved.detail)
        }
        let (durable, written, last) = (persistence.durableIndex, persistence.writtenIndex, log.lastIndex)
        if log.appliedIndex > log.applyingIndex || log.applyingIndex > min(log.commitIndex, durable)
            || log.commitIndex > last || durable > written || written > last
        {
            violate(
                "index-order",
                """
                applied \(log.appliedIndex), applying \(log.applyingIndex), commit \(log.commitIndex), \
                durable \(durable), written \(written), last \(last)
                """)
        }
        if role == .leader { checkLeadership() }
    }

    private mutating func checkLeadership() {
        if !membership.isVoter(configuration.node), isMembershipSettled {
            violate("leader-not-voter", "node \(configuration.node) leads \(membership)")
        }
        checkProgress()
    }

    private mutating func checkProgress() {
        for position in peers.indices
        where peers[position].matchIndex >= peers[position].nextIndex || peers[position].matchIndex > log.lastIndex
            || peers[position].inflights.count > configuration.maxInflightMessages
        {
            let peer = peers[position]
            violate(
                "progress-order",
                "node \(peer.node): match \(peer.matchIndex), next \(peer.nextIndex), last \(log.lastIndex)")
        }
    }

    /// The log of a restored state, and what is wrong with it. (Where something is, the log is an empty stand-in.)
    static func judge(_ restored: RestoredState) -> (log: Log, violation: InvariantViolation?) {
        let standIn = Log(
            terms: TermRuns(base: .zero, runs: [], lastIndex: .zero)!, unapplied: [], commit: .zero, applied: .zero)
        func broken(_ detail: String) -> (Log, InvariantViolation?) {
            (standIn, InvariantViolation(rule: "restored-state", detail: detail))
        }
        guard
            let terms = TermRuns(base: restored.truncated, runs: restored.termRuns, lastIndex: restored.lastIndex)
        else { return broken("terms \(restored.termRuns) in \(restored.truncated.index)...\(restored.lastIndex)") }
        guard restored.truncated.index <= restored.applied, restored.applied <= restored.lastIndex else {
            return broken(
                "applied \(restored.applied), but the log is \(restored.truncated.index)...\(restored.lastIndex)")
        }
        guard restored.commit <= restored.lastIndex else {
            return broken("entry \(restored.commit) was committed, but the log ends at \(restored.lastIndex)")
        }
        guard terms.last.term <= restored.hardState.term else {
            return broken("last entry \(terms.last) in term \(restored.hardState.term)")
        }
        guard UInt64(restored.unapplied.count) == restored.lastIndex.distance(from: restored.applied) else {
            return broken(
                "\(restored.unapplied.count) entries for \(restored.applied.next)...\(restored.lastIndex)")
        }
        var expected = restored.applied
        for entry in restored.unapplied {
            expected = expected.next
            guard entry.index == expected, terms.term(at: expected) == entry.term else {
                return broken("entry \(entry.id) in the place of index \(expected)")
            }
        }
        let log = Log(
            terms: terms, unapplied: restored.unapplied, commit: max(restored.commit, restored.applied),
            applied: restored.applied)
        return (log, nil)
    }
}
