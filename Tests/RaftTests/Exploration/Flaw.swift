@testable import Raft

/// A rule of Raft that an explored group breaks, to see that the search notices: a judge that never finds anything
/// proves nothing. The core is as it is; what goes into it or comes out of it is bent, or its state is.
enum Flaw: Hashable, Sendable, CaseIterable {
    /// A vote leaves before it is on the disk.
    case voteLeavesEarly
    /// The vote is not in what a node finds on its disk.
    case voteNotPersisted
    /// An acknowledgement of entries leaves before they are on the disk.
    case acknowledgementLeavesEarly
    /// A vote is given to logs that lack something.
    case logsNotCompared
    /// An append is taken although the entry before it is another one.
    case previousNotCompared
    /// A leader counts copies of an entry of an earlier term (Raft paper, figure 8).
    case earlierTermsCount
    /// A follower believes that everything it has is committed, as far as the leader's commit index goes.
    case unverifiedTailCommits
    /// A follower drops what lies behind a late append that says nothing new.
    case lateAppendTruncates
    /// A leader answers reads without asking whether it is one.
    case readsWithoutRound
    /// A leader takes a change of the membership although the one before is not applied.
    case changesOverlap
    /// Entries are written without the commit index that came with them.
    case commitNotStored
    /// Appends do not say what is committed.
    case commitNotCarried
    /// Only the new half of a joint configuration counts.
    case oldHalfDoesNotCount
    /// A snapshot says that it holds one entry more than it does.
    case snapshotClaimsMore
}

extension Flaw {
    /// The input that the core gets in the place of another.
    func bent(_ input: Input, for core: RaftCore) -> Input {
        guard case .received(var message) = input else { return input }
        switch (self, message.body) {
        case (.logsNotCompared, .voteRequest(_, let isTransfer)):
            let best = EntryID(term: message.term, index: LogIndex(.max))
            message.body = .voteRequest(last: best, isTransfer: isTransfer)
        case (.previousNotCompared, .appendRequest(let previous, let entries, let commit)):
            guard let term = core.log.term(at: previous.index), term <= message.term else { return input }
            let agreeing = EntryID(term: min(term, entries.first?.term ?? term), index: previous.index)
            message.body = .appendRequest(previous: agreeing, entries: entries, commit: commit)
        case (.commitNotCarried, .appendRequest(let previous, let entries, _)):
            message.body = .appendRequest(previous: previous, entries: entries, commit: .zero)
        default: return input
        }
        return .received(message)
    }

    /// Changes the state of the core after a step.
    func bend(_ core: inout RaftCore, after input: Input) {
        switch (self, input) {
        case (.earlierTermsCount, _): commitEarlierTerms(of: &core)
        case (.changesOverlap, .membershipChangeProposed(_, let change)): appendRefused(change, to: &core)
        case (.oldHalfDoesNotCount, _): core.membership.outgoing = []
        case (.unverifiedTailCommits, .received(let message)):
            guard core.role == .follower, message.term == core.term, let commit = message.commit else { return }
            core.commit(through: max(core.commitIndex, min(commit, core.lastIndex)))
        case (.lateAppendTruncates, .received(let message)): truncate(&core, after: message)
        default: break
        }
    }

    private func appendRefused(_ change: MembershipChange, to core: inout RaftCore) {
        let isRefused = core.effects.contains {
            if case .proposalRefused(_, .membershipChangePending) = $0 { true } else { false }
        }
        if isRefused { core.appendAsLeader(kind: .membership, payload: change.encode()) }
    }

    private func commitEarlierTerms(of core: inout RaftCore) {
        guard core.role == .leader else { return }
        let reached = Quorum.reached(in: core.membership) { node in
            if node == core.configuration.node { return core.persistence.durableIndex.rawValue }
            return core.position(of: node).map { core.peers[$0].matchIndex.rawValue } ?? 0
        }
        core.log.commit(through: max(core.commitIndex, LogIndex(reached)))
        core.proposals.resolve(with: core.log, into: &core.effects)
    }

    private func truncate(_ core: inout RaftCore, after message: Message) {
        guard case .appendRequest(let previous, let entries, _) = message.body, message.term == core.term,
            core.role == .follower
        else { return }
        let end = max(entries.last?.id ?? previous, EntryID(term: .zero, index: core.commitIndex))
        guard end.index < core.lastIndex, end.index >= core.commitIndex, end.index >= core.log.base.index,
            end.term == .zero || core.log.term(at: end.index) == end.term
        else { return }
        core.log.truncate(from: end.index.next)
        core.persistence.truncated(from: end.index.next)
    }

    /// What leaves although it should be held.
    func leak(_ core: RaftCore, _ send: (Message) -> Void) {
        for held in Array(core.persistence.held) {
            switch (self, held.message.body) {
            case (.voteLeavesEarly, .voteResponse), (.acknowledgementLeavesEarly, .appendAccepted): send(held.message)
            default: break
            }
        }
    }
}
