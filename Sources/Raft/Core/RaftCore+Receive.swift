/// Messages: the rules that depend on the term (Raft paper, section 5.1), then each body to its place.
extension RaftCore {
    mutating func receive(_ message: Message) {
        guard message.group == configuration.group, message.to == configuration.node,
            message.from != configuration.node
        else {
            misbehaved(message.from, "message for node \(message.to) of group \(message.group)")
            return
        }
        guard message.term <= .highest else { return misbehaved(message.from, "message of term \(message.term)") }
        if case .commitNotice(let id) = message.body { return learnCommit(of: id) }
        // A stranger may know more than we do: a leader or candidate that was added by changes which we have not applied.
        if message.term < hardState.term {
            receiveStale(message)
        } else if message.term == hardState.term || admitNewTerm(of: message) {
            dispatch(message)
        }
    }

    /// A message of a later term: usually makes this node a follower in it.
    ///
    /// - Returns: whether the message itself is to be looked at.
    private mutating func admitNewTerm(of message: Message) -> Bool {
        switch message.body {
        case .preVoteRequest:
            // Nobody changes anything by answering.
            return !isLeaderAlive
        case .preVoteResponse(granted: true):
            // Carries the term that was asked for, which nobody is in yet.
            return true
        case .voteRequest(_, let isTransfer):
            // A node that cannot hear the leader must not depose it while we can (Raft thesis, section 4.2.3).
            guard isTransfer || !isLeaderAlive else { return false }
            becomeFollower(in: message.term, leader: nil)
        case .appendRequest, .heartbeat, .timeoutNow:
            becomeFollower(in: message.term, leader: message.from)
        case .preVoteResponse(granted: false), .voteResponse, .appendAccepted, .appendRejected, .heartbeatResponse,
            .readIndexRequest, .readIndexResponse, .commitNotice:
            becomeFollower(in: message.term, leader: nil)
        }
        return true
    }

    /// A message of an earlier term: its sender hears about ours, so that it does not stay behind for ever.
    ///
    /// The answer to a stale leader also works the other way round: this node may be the one that is stuck, alone in a
    /// high term, ignored by all who hear their leader. The answer deposes that leader, and the next election takes
    /// place in a term that this node accepts.
    private mutating func receiveStale(_ message: Message) {
        switch message.body {
        case .appendRequest, .heartbeat: send(.heartbeatResponse(round: 0), to: message.from)
        case .preVoteRequest: send(.preVoteResponse(granted: false), to: message.from)
        case .voteRequest: send(.voteResponse(granted: false), to: message.from)
        case .readIndexRequest(let token): send(.readIndexResponse(token, index: nil), to: message.from)
        case .preVoteResponse(granted: false):
            // The refuser is in an earlier term, but its log is better.
            if role == .preCandidate { countPreVote(of: message.from, granted: false) }
        case .preVoteResponse(granted: true), .voteResponse, .appendAccepted, .appendRejected, .heartbeatResponse,
            .readIndexResponse, .timeoutNow, .commitNotice:
            break
        }
    }

    private mutating func dispatch(_ message: Message) {
        switch message.body {
        case .preVoteRequest(let last): answerPreVote(message, last: last)
        case .preVoteResponse(let granted):
            guard role == .preCandidate, !granted || message.term == hardState.term.next else { return }
            countPreVote(of: message.from, granted: granted)
        case .voteRequest(let last, let isTransfer): answerVote(message, last: last, isTransfer: isTransfer)
        case .voteResponse(let granted):
            guard role == .candidate else { return }
            countVote(of: message.from, granted: granted)
        case .appendRequest(let previous, let entries, let commit):
            guard follow(message.from) else { return }
            append(entries, after: previous, commit: commit, from: message.from)
        case .heartbeat(let commit, let round, let truncatable):
            guard follow(message.from) else { return }
            heardHeartbeat(commit: commit, round: round, truncatable: truncatable, from: message.from)
        case .appendAccepted(let matched):
            guard let sender = followerPosition(of: message) else { return }
            appendAccepted(through: matched, by: sender)
        case .appendRejected(let previous, let hint):
            guard let sender = followerPosition(of: message) else { return }
            appendRejected(previous: previous, hint: hint, by: sender)
        case .heartbeatResponse(let round):
            guard let sender = followerPosition(of: message) else { return }
            heartbeatAnswered(round: round, by: sender)
        case .readIndexRequest(let token):
            if let sender = followerPosition(of: message) { peers[sender].heard(at: now) }
            readIndexRequested(token, by: message.from)
        case .readIndexResponse(let token, let index): readIndexAnswered(token, index: index, by: message.from)
        case .timeoutNow:
            guard follow(message.from) else { return }
            campaignForTransfer()
        case .commitNotice: break  // Looked at before the rules of terms.
        }
    }

    /// On a leader: the place of the sender among its followers; `nil` elsewhere, and for nodes that left.
    private mutating func followerPosition(of message: Message) -> Int? {
        guard role == .leader, let position = position(of: message.from) else { return nil }
        guard peers[position].mayVote != message.mayVote else { return position }
        peers[position].mayVote = message.mayVote
        if message.mayVote {
            // What it has acknowledged meanwhile counts from now on.
            advanceCommit()
            if role == .leader { confirmReads() }
        } else {
            peers[position].forgotPromises(last: log.lastIndex)
        }
        return role == .leader ? position : nil
    }

    mutating func misbehaved(_ node: NodeID, _ what: String) { effects.append(.peerMisbehaved(node, what)) }
}
