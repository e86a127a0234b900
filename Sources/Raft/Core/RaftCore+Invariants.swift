/// What only moves forward (`Rule`), as of the step before.
struct Watermarks: Sendable {
    private var hardState: HardState
    private var commit: LogIndex
    /// The end of a leader's log; `nil` on others.
    private var leadersLast: LogIndex?

    init(hardState: HardState, commit: LogIndex) {
        self.hardState = hardState
        self.commit = commit
    }

    /// What moved back; `nil`: nothing did.
    mutating func advance(
        hardState new: HardState, commit newCommit: LogIndex, leadersLast newLast: LogIndex?
    ) -> InvariantViolation? {
        defer {
            hardState = new
            commit = newCommit
            leadersLast = newLast
        }
        if new.term < hardState.term {
            return InvariantViolation(rule: .termRegressed, detail: "from \(hardState.term) to \(new.term)")
        }
        if new.term == hardState.term, let vote = hardState.vote, vote != new.vote {
            return InvariantViolation(
                rule: .voteChanged, detail: "in term \(new.term) from \(vote) to \(new.vote?.description ?? "none")")
        }
        if newCommit < commit {
            return InvariantViolation(rule: .commitRegressed, detail: "from \(commit) to \(newCommit)")
        }
        if new.term == hardState.term, let last = leadersLast, let newLast, newLast < last {
            return InvariantViolation(
                rule: .leaderAppendOnly, detail: "the log of term \(new.term)'s leader went from \(last) to \(newLast)")
        }
        return nil
    }
}

extension RaftCore {
    mutating func violate(_ rule: Rule, _ detail: String) {
        if violation == nil { violation = InvariantViolation(rule: rule, detail: detail) }
    }

    mutating func checkInvariants() {
        let leadersLast = role == .leader ? log.lastIndex : nil
        let moved = watermarks.advance(hardState: hardState, commit: log.commitIndex, leadersLast: leadersLast)
        if let moved, violation == nil { violation = moved }
        let (durable, written, last) = (persistence.durableIndex, persistence.writtenIndex, log.lastIndex)
        if log.base.index > log.appliedIndex || log.appliedIndex > log.applyingIndex
            || log.applyingIndex > min(log.commitIndex, durable)
            || log.commitIndex > last || durable > written || written > last
        {
            violate(
                .indexOrder,
                """
                cut \(log.base.index), applied \(log.appliedIndex), applying \(log.applyingIndex), commit \(log.commitIndex), \
                durable \(durable), written \(written), last \(last)
                """)
        }
        if role == .leader { checkLeadership() }
    }

    private mutating func checkLeadership() {
        if !membership.isVoter(configuration.node), isMembershipSettled {
            violate(.leaderNotVoter, "node \(configuration.node) leads \(membership)")
        }
        checkProgress()
    }

    private mutating func checkProgress() {
        for position in peers.indices where !peers[position].isInOrder(last: log.lastIndex) {
            let peer = peers[position]
            violate(
                .progressOrder,
                """
                node \(peer.node): \(peer.mode), match \(peer.matchIndex), next \(peer.nextIndex), last \
                \(log.lastIndex), \(peer.inflights.count) messages under way
                """)
        }
    }

    /// A message that promises something is about to leave.
    mutating func checkPromise(_ message: Message) {
        switch message.body {
        case .appendAccepted(let matched):
            guard matched > persistence.durableIndex else { return }
            violate(.promiseNotDurable, "\(matched) acknowledged, but only \(persistence.durableIndex) is durable")
        case .voteResponse(granted: true): checkVote(for: message.to, in: message.term)
        case .voteRequest: checkVote(for: configuration.node, in: message.term)
        default: break
        }
    }

    private mutating func checkVote(for candidate: NodeID, in term: Term) {
        guard hardState != HardState(term: term, vote: candidate) || !persistence.isHardStateDurable else { return }
        violate(.promiseNotDurable, "vote for node \(candidate) in term \(term), but that is not durable")
    }

    /// A round of heartbeats is confirmed: a lease begins with its start.
    mutating func checkLease() {
        guard configuration.leaseReads, let start = reads.confirmedStart else { return }
        let isConfirmed = Quorum.contains(membership) { node in
            node == configuration.node || position(of: node).map { peers[$0].lastHeard >= start } ?? false
        }
        if !isConfirmed { violate(.leaseQuorum, "no quorum was heard since \(start.nanoseconds) ns") }
    }

    /// The log of a restored state, and what is wrong with it. (Where something is, the log is an empty stand-in.)
    static func judge(_ restored: RestoredState) -> (log: Log, violation: InvariantViolation?) {
        let standIn = Log(
            terms: TermRuns(base: .zero, runs: [], lastIndex: .zero)!, unapplied: [], commit: .zero, applied: .zero)
        func broken(_ detail: String) -> (Log, InvariantViolation?) {
            (standIn, InvariantViolation(rule: .restoredState, detail: detail))
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
