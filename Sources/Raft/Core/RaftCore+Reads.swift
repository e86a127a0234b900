/// Linearizable reads by ReadIndex (Raft thesis, section 6.4), and leases (6.4.1) that spare the round.
extension RaftCore {
    mutating func requestReadIndex(_ token: ReadToken) {
        if role == .leader { return admit(readRequest(token, follower: nil)) }
        guard let leader else {
            effects.append(.readFailed(token))
            return
        }
        reads.forward(token, deadline: now.advanced(by: configuration.electionTimeout))
        send(.readIndexRequest(token), to: leader)
    }

    // MARK: Leader

    mutating func readIndexRequested(_ token: ReadToken, by follower: NodeID) {
        let request = readRequest(token, follower: follower)
        if role == .leader { admit(request) } else { fail(request) }
    }

    private func readRequest(_ token: ReadToken, follower: NodeID?) -> ReadQueue.Request {
        ReadQueue.Request(token: token, follower: follower, floor: log.commitIndex)
    }

    private mutating func admit(_ request: ReadQueue.Request) {
        guard log.commitIndex >= leadership.firstIndex else { return reads.awaitCommit(request) }
        if isSoleVoter || hasLease { return answer(request, index: log.commitIndex) }
        reads.awaitRound(request, index: log.commitIndex)
    }

    /// The commit index moved, maybe into this term.
    mutating func admitReadsAwaitingCommit() {
        guard !reads.awaitingCommit.isEmpty, log.commitIndex >= leadership.firstIndex else { return }
        for request in reads.takeAwaitingCommit() { admit(request) }
    }

    /// One round for everything that was queued since the last drain.
    mutating func startReadRoundIfWanted() {
        guard reads.isRoundDue else { return }
        reads.startRound(at: now)
        broadcastHeartbeat()
        confirmReads()
    }

    /// Answers the reads whose round a quorum has answered.
    mutating func confirmReads() {
        let former = reads.confirmedRound
        reads.confirmed(
            Quorum.reached(in: membership) { node in
                if node == configuration.node { return reads.round }
                guard let position = position(of: node), counts(peers[position]) else { return 0 }
                return peers[position].ackedRound
            })
        if reads.confirmedRound > former { checkLease() }
        while let (request, index) = reads.popConfirmed() { answer(request, index: index) }
    }

    private mutating func answer(_ request: ReadQueue.Request, index: LogIndex) {
        let floor = max(leadership.firstIndex, request.floor)
        guard index >= floor, index <= log.commitIndex else {
            return violate(.readIndex, "index \(index) not in \(floor)...\(log.commitIndex)")
        }
        if let follower = request.follower {
            send(.readIndexResponse(request.token, index: index), to: follower)
            awaitCommit(of: index, by: follower)
        } else {
            effects.append(.readReady(request.token, index))
        }
    }

    // MARK: Lease

    /// Whether nobody else can have been elected by now, whatever happened since.
    ///
    /// Whoever answers a round of heartbeats has promised not to vote for an election timeout of its own clock, counted
    /// from a moment after the round left. So a quorum that answered a round covers the leader from the round's *start*,
    /// for as long as the fastest of those clocks needs for an election timeout, measured by the slowest leader.
    /// (That holds across changes of the membership: whoever helped to commit one has promised anew, and the quorums before
    /// and after have such a node in common.)
    private var hasLease: Bool {
        guard configuration.leaseReads, configuration.checkQuorum, !leadership.mayBeOvertaken,
            let start = reads.confirmedStart
        else { return false }
        return now < start.advanced(by: configuration.leaseDuration)
    }

    // MARK: Follower

    mutating func readIndexAnswered(_ token: ReadToken, index: LogIndex?, by node: NodeID) {
        if catchUpTargetAnswered(token, index: index, by: node) { return }
        // A token that is not waited for has failed already, or was answered twice.
        guard node == leader, reads.takeForwarded(token) else { return }
        effects.append(index.map { .readReady(token, $0) } ?? .readFailed(token))
    }

    mutating func failOverdueReads() {
        while let token = reads.popForwarded(dueAt: now) { effects.append(.readFailed(token)) }
    }

    mutating func failForwardedReads() {
        while let token = reads.popForwarded(dueAt: .never) { effects.append(.readFailed(token)) }
    }

    // MARK: End

    /// Role or leader change: nobody can confirm what waits.
    mutating func failReads() {
        for request in reads.takeAll() { fail(request) }
    }

    private mutating func fail(_ request: ReadQueue.Request) {
        if let follower = request.follower {
            send(.readIndexResponse(request.token, index: nil), to: follower)
        } else {
            effects.append(.readFailed(request.token))
        }
    }
}
