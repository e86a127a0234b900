import Raft

/// Rare paths by name. A long run must reach all of them: what is never reached is never tested.
package enum Mark: String, CaseIterable, Sendable {
    // Elections
    case leaderElected = "leader elected"
    case candidateLost = "candidate became follower"
    case voteRefused = "vote refused"
    case preVoteRefused = "pre-vote refused"
    case leaderSteppedDown = "leader stepped down"
    // Replication
    case appendRejected = "append rejected"
    case conflictTruncated = "conflicting entries removed"
    case commitNoticeSent = "candidate told what is committed"
    case fetchedForFollower = "entries read from the store for a follower"
    // Proposals
    case proposalRefusedNotLeader = "proposal refused: not leader"
    case proposalRefusedLimit = "proposal refused: uncommitted limit"
    case proposalRefusedBacklog = "proposal refused: too much is not applied"
    case proposalRefusedTransfer = "proposal refused: leadership is handed over"
    case proposalRefusedPending = "membership change refused: one is pending"
    case proposalRefusedInvalid = "membership change refused: it does not fit"
    case proposalRefusedDisk = "proposal refused: disk full"
    case proposalLost = "proposal certainly lost"
    case proposalUnknown = "proposal's fate hidden by a snapshot"
    // Reads
    case readAnswered = "read answered"
    case readFailed = "read index refused"
    case localRead = "sole voter reads at once"
    case readWithoutIndex = "read index refused by the leader"
    // Sessions
    case sessionOpened = "session opened"
    case retriedElsewhere = "request sent again to another node"
    case answeredFromTable = "retry answered from the session's table"
    case sessionUnknown = "session unknown"
    case staleRequest = "request older than the window"
    // Compaction and snapshots
    case logCut = "log cut"
    case snapshotWanted = "follower needs a snapshot"
    case snapshotInstalled = "snapshot installed"
    case snapshotOverLongerLog = "snapshot installed over a longer log"
    case snapshotDiscarded = "snapshot discarded"
    case crashedInInstall = "crash in the middle of an install"
    case snapshotResumed = "snapshot resumed"
    case snapshotDamaged = "damaged snapshot refused"
    case snapshotWithoutSpace = "no space for a snapshot"
    // Membership and transfer
    case simpleChange = "membership changed directly"
    case jointEntered = "joint configuration entered"
    case jointLeft = "joint configuration left"
    case learnerAdded = "learner added"
    case learnerPromoted = "learner promoted"
    case voterRemoved = "voter removed"
    case changeSettled = "membership change settled"
    case leaderRemoved = "leader removed"
    case transferDone = "leadership handed over"
    case transferTimedOut = "transfer timed out"
    case timeoutNowSent = "timeout-now sent"
    // Disks and crashes
    case crashed = "node crashed"
    case recoveredUnsynced = "unsynced writes survived a crash"
    case replayedAtStart = "entries applied again at the start"
    case syncFailed = "sync failed, node stopped"
    case diskFilled = "disk full"
    case corruptionFound = "damage found at the start, node stays down"
    case corruptionMet = "damage met while running, node stops for good"
    case stoppedWithoutSpace = "no space left, node stopped"
    case diskLost = "disk lost, node replaced"
    case leftAlone = "everybody left a leader that applies slowly"
    case removedDestroyed = "removed node destroyed"
    // Empty founders
    case diskWiped = "disk lost, node back under its id"
    case refusedByIncarnation = "peer refused: another data directory"
    case foundersTrusted = "empty founder votes: the cluster is new"
    case foundersDistrusted = "empty founder must catch up first"
    case suspectCaughtUp = "empty founder caught up, and votes"
    // Environment
    case partitioned = "network partitioned"
    case ambushed = "ambush laid"
    case paused = "node paused"
    case clockJumped = "clock jumped"
    case converged = "group converged after the faults"
}

/// Which marks were reached, and how often.
package struct MarkTable: Hashable, Sendable {
    private var counts = [UInt64](repeating: 0, count: Mark.allCases.count)

    package init() {}

    package subscript(mark: Mark) -> UInt64 { counts[Self.places[mark] ?? 0] }

    package var missing: [Mark] { Mark.allCases.filter { self[$0] == 0 } }

    package mutating func merge(_ other: MarkTable) {
        for place in counts.indices { counts[place] += other.counts[place] }
    }

    mutating func reach(_ mark: Mark) { counts[Self.places[mark] ?? 0] += 1 }

    /// Looked up only, never walked.
    private static let places: [Mark: Int] = Dictionary(
        uniqueKeysWithValues: Mark.allCases.enumerated().map { ($1, $0) })
}

extension MarkTable {
    mutating func note(_ change: RoleChange, from old: RoleKind) {
        switch (change.role, old) {
        case (.leader, _): reach(.leaderElected)
        case (.follower, .leader): reach(.leaderSteppedDown)
        case (.follower, .candidate), (.follower, .preCandidate): reach(.candidateLost)
        case (.follower, .follower), (.preCandidate, _), (.candidate, _): break
        }
    }

    mutating func note(sent message: Message) {
        switch message.body {
        case .voteResponse(granted: false): reach(.voteRefused)
        case .preVoteResponse(granted: false): reach(.preVoteRefused)
        case .appendRejected: reach(.appendRejected)
        case .readIndexResponse(_, index: nil): reach(.readWithoutIndex)
        case .timeoutNow: reach(.timeoutNowSent)
        case .commitNotice: reach(.commitNoticeSent)
        case .preVoteRequest, .preVoteResponse, .voteRequest, .voteResponse, .appendRequest, .appendAccepted,
            .heartbeat, .heartbeatResponse, .readIndexRequest, .readIndexResponse:
            break
        }
    }

    mutating func note(_ refusal: ProposalRefusal) {
        switch refusal {
        case .notLeader: reach(.proposalRefusedNotLeader)
        case .uncommittedLimit: reach(.proposalRefusedLimit)
        case .unappliedLimit: reach(.proposalRefusedBacklog)
        case .transferring: reach(.proposalRefusedTransfer)
        case .membershipChangePending: reach(.proposalRefusedPending)
        case .invalidMembershipChange: reach(.proposalRefusedInvalid)
        case .diskFull: reach(.proposalRefusedDisk)
        }
    }

    mutating func note(_ change: MembershipChange, from old: Membership, to new: Membership) {
        if !old.isJoint, new.isJoint { reach(.jointEntered) }
        if old.isJoint, !new.isJoint { reach(.jointLeft) }
        if !old.isJoint, !new.isJoint { reach(.simpleChange) }
        for step in change.steps {
            switch step {
            case .addLearner(let node): if !old.contains(node) { reach(.learnerAdded) }
            case .addVoter(let node): if old.learners.contains(node) { reach(.learnerPromoted) }
            case .remove(let node): if old.voters.contains(node) { reach(.voterRemoved) }
            }
        }
    }
}
