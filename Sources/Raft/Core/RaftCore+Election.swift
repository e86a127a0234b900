/// Elections: Raft paper, section 5.2 and 5.4.1; PreVote and CheckQuorum: Raft thesis, sections 9.6 and 6.2.
struct Election: Hashable, Sendable {
    /// When to campaign (again) unless a leader is heard.
    var deadline = MonotonicTime.never
    /// Drawn anew with every change of role or term, so that split votes do not repeat.
    var timeout = Duration.zero
    /// Answers to the present (pre-)election.
    var tally = VoteTally()
    /// A candidate's vote for itself counts when this ticket is durable; `nil` once it does.
    var ownVoteTicket: PersistTicket?
}

extension RaftCore {
    // MARK: Timers

    /// Nothing heard for an election timeout.
    mutating func electionIsDue() {
        // While its own vote is not on disk, nobody has been asked: another term would only wear the disk.
        if election.ownVoteTicket != nil { return restartElectionTimer() }
        campaignIfAllowed()
    }

    mutating func campaignIfAllowed() {
        guard mayCampaign, !isBoundByLease else { return restartElectionTimer() }
        if configuration.preVote, !isSoleVoter { becomePreCandidate() } else { becomeCandidate() }
    }

    /// The leader of this term hands over: no PreVote, and nobody protects its leadership (Raft thesis, section 3.10).
    mutating func campaignForTransfer() {
        guard role == .follower, mayCampaign else { return }
        becomeCandidate(isTransfer: true)
    }

    /// A voter campaigns when it may vote, knows the membership that counts (what was known to be committed at the start
    /// is applied, and nothing committed since changes it), and could take entries.
    private var mayCampaign: Bool {
        membership.isVoter(configuration.node) && mayVote && installing == nil && (!isDiskFull || isSoleVoter)
            && log.appliedIndex >= restoredCommit && !log.holdsUnappliedMembershipChange
    }

    /// The process of the leader closed its connection: it is gone or going. Whoever noticed first may ask for votes,
    /// after a moment at random so that not everybody does.
    mutating func leaderLost(_ node: NodeID) {
        // A lease counts on every follower's patience.
        guard role == .follower, leader == node, !configuration.leaseReads else { return }
        failReads()
        leader = nil
        announce()
        election.deadline = min(
            election.deadline, now.advanced(by: random.next(below: configuration.heartbeatInterval)))
    }

    /// Whether a leader was heard within the election timeout: then votes are not given, nor asked for.
    var isLeaderAlive: Bool {
        guard configuration.checkQuorum else { return false }
        if isBoundByLease { return true }
        guard leader != nil else { return false }
        return role == .leader || now < heardLeaderAt.advanced(by: configuration.electionTimeout)
    }

    /// Whether a leader may count on this node's patience; see `leasePromiseEnd`.
    private var isBoundByLease: Bool { now < leasePromiseEnd }

    /// Draws a timeout between one and two election timeouts, and starts it.
    mutating func resetElectionTimer() {
        election.timeout = configuration.electionTimeout + random.next(below: configuration.electionTimeout)
        restartElectionTimer()
    }

    mutating func restartElectionTimer() { election.deadline = now.advanced(by: election.timeout) }

    // MARK: Roles

    /// - Parameter term: the present term, or a later one.
    mutating func becomeFollower(in term: Term, leader: NodeID?) {
        leaveRole()
        if term > hardState.term { changeHardState(HardState(term: term)) }
        role = .follower
        self.leader = leader
        if let leader {
            leaderOfTerm = leader
            heardLeaderAt = now
        }
        resetElectionTimer()
        announce()
    }

    /// Asks whether an election could be won; changes nothing that lasts.
    private mutating func becomePreCandidate() {
        leaveRole()
        role = .preCandidate
        resetElectionTimer()
        announce()
        for peer in peers where membership.isVoter(peer.node) {
            send(.preVoteRequest(last: log.last), to: peer.node, term: hardState.term.next)
        }
        countPreVote(of: configuration.node, granted: true)
    }

    /// Votes for itself in a new term. Neither that vote nor the requests for others count before it is durable.
    private mutating func becomeCandidate(isTransfer: Bool = false) {
        leaveRole()
        changeHardState(HardState(term: hardState.term.next, vote: configuration.node))
        role = .candidate
        election.ownVoteTicket = persistence.latestTicket
        resetElectionTimer()
        announce()
        for peer in peers where membership.isVoter(peer.node) {
            promise(.voteRequest(last: log.last, isTransfer: isTransfer), to: peer.node)
        }
    }

    private mutating func becomeLeader() {
        leaveRole()
        role = .leader
        leader = configuration.node
        leaderOfTerm = configuration.node
        for position in peers.indices {
            peers[position] = Progress(
                node: peers[position].node, nextIndex: log.lastIndex.next, configuration: configuration, now: now)
        }
        openSnapshots = []
        leadership = Leadership(
            firstIndex: log.lastIndex.next,
            localReadsFrom: log.lastIndex.next,
            uncommittedBytes: log.proposedBytes(from: log.commitIndex.next, through: log.lastIndex),
            // Whatever lies unapplied in the log may change the membership.
            pendingMembershipIndex: log.lastIndex,
            // Its first entry carries to others what this node knows to be committed.
            settlingIndex: log.lastIndex.next)
        announce()
        // Committing an entry of its own is how a leader learns what is committed (Raft paper, section 8).
        appendAsLeader(kind: .noop)
        broadcastTimedHeartbeat()
    }

    /// What ends with any change of role: reads, the leader as we knew it, answers to an election.
    private mutating func leaveRole() {
        failReads()
        if role == .leader {
            proposals.leadershipEnded()
            endTransfer(.steppedDown)
        }
        leader = nil
        election.tally = VoteTally()
        election.ownVoteTicket = nil
    }

    mutating func changeHardState(_ new: HardState) {
        if new.term > hardState.term { leaderOfTerm = nil }
        hardState = new
        persistence.hardStateChanged()
    }

    // MARK: Giving votes

    /// Grants carry the term that was asked for, refusals our own (it may be the later one, and deposes the asker).
    mutating func answerPreVote(_ message: Message, last: EntryID) {
        let isFree = message.term > hardState.term || canVote(for: message.from)
        let isGranted = mayVote && isFree && !isBoundByLease && last >= log.last
        send(
            .preVoteResponse(granted: isGranted), to: message.from,
            term: isGranted ? message.term : hardState.term)
        if !isGranted { tellCommit(to: message.from, last: last) }
    }

    mutating func answerVote(_ message: Message, last: EntryID, isTransfer: Bool) {
        guard mayVote, canVote(for: message.from), isTransfer || !isBoundByLease, last >= log.last else {
            send(.voteResponse(granted: false), to: message.from)
            return tellCommit(to: message.from, last: last)
        }
        if hardState.vote == nil { changeHardState(HardState(term: hardState.term, vote: message.from)) }
        restartElectionTimer()
        promise(.voteResponse(granted: true), to: message.from)
    }

    /// A candidate with an older log may count with voters of an older membership, for whose removal it only lacks the
    /// commit index: without this news a node that left, and can't campaign any more, could keep it waiting for ever.
    /// (raft-rs does the same with its `maybe_commit_by_vote`.)
    private mutating func tellCommit(to candidate: NodeID, last: EntryID) {
        guard last < log.last, let term = log.term(at: log.commitIndex), log.commitIndex > .zero else { return }
        send(.commitNotice(EntryID(term: term, index: log.commitIndex)), to: candidate)
    }

    /// What is committed stays so; whoever holds that very entry holds everything before it too.
    mutating func learnCommit(of id: EntryID) {
        guard role != .leader, installing == nil, id.index > log.commitIndex, log.term(at: id.index) == id.term else {
            return
        }
        commit(through: id.index)
        liftVotingBan()
    }

    /// One vote a term, and none against a leader that the term already has.
    private func canVote(for candidate: NodeID) -> Bool {
        hardState.vote == candidate || (hardState.vote == nil && leaderOfTerm == nil)
    }

    // MARK: Counting votes

    mutating func countPreVote(of node: NodeID, granted: Bool) {
        election.tally.record(node, granted: granted)
        switch election.tally.outcome(in: membership) {
        case .pending: break
        // It may have learned meanwhile that a change is committed.
        case .won where mayCampaign: becomeCandidate()
        case .won: becomeFollower(in: hardState.term, leader: nil)
        case .lost: becomeFollower(in: hardState.term, leader: nil)
        }
    }

    mutating func countVote(of node: NodeID, granted: Bool) {
        election.tally.record(node, granted: granted)
        switch election.tally.outcome(in: membership) {
        case .pending: break
        case .won: becomeLeader()
        case .lost: becomeFollower(in: hardState.term, leader: nil)
        }
    }

    // MARK: A ban on voting

    /// A founder with an empty directory in a cluster that is not new, or a node whose log was repaired by leaving damage
    /// out, may have forgotten votes and acknowledgements that it gave. It neither votes nor campaigns, and what it
    /// acknowledges counts for nothing (`Message.mayVote`), until all of this holds:
    ///
    /// 1. A leader, confirmed by a quorum that did not need this node, after it had started, told its commit index, as it
    ///    does for a read; and everything up to there is durable here. So nothing is missing that was committed with this
    ///    node's help, and the leader is no old one that has been replaced.
    /// 2. This node's vote in that leader's term is on record, for that leader: it cannot be given a second time. Terms
    ///    below are closed, since a majority reached this one without us.
    ///
    /// What remains open, a forgotten vote in a term *above* the leader's whose candidate still waits for others, is
    /// closed outside: peers refuse a known node that comes back with another incarnation of its directory.
    mutating func liftVotingBan() {
        guard !mayVote, role == .follower, let leader, let catchUp, catchUp.term == hardState.term,
            let target = catchUp.target, log.commitIndex >= target, persistence.durableIndex >= log.commitIndex
        else { return }
        if hardState.vote == nil { changeHardState(HardState(term: hardState.term, vote: leader)) }
        if persistence.isHardStateDurable { mayVote = true }
    }

    /// - Parameter again: the question may have been lost.
    mutating func askForCatchUpTarget(of leader: NodeID, again: Bool) {
        guard !mayVote else { return }
        if catchUp?.term != hardState.term {
            catchUp = CatchUpQuestion(
                term: hardState.term, token: ReadToken(incarnation: .max, count: random.next()))
        } else if catchUp?.target != nil || !again {
            return
        }
        if let catchUp { send(.readIndexRequest(catchUp.token), to: leader) }
    }

    /// - Returns: whether the answer was for `askForCatchUpTarget`.
    mutating func catchUpTargetAnswered(_ token: ReadToken, index: LogIndex?, by node: NodeID) -> Bool {
        guard token == catchUp?.token else { return false }
        if node == leader, catchUp?.term == hardState.term, catchUp?.target == nil { catchUp?.target = index }
        liftVotingBan()
        return true
    }
}
