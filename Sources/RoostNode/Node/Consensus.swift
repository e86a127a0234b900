import ByteCoding
import DequeModule
import KeyValue
import Logging
import PeerTransport
import Raft
import RaftStorage
import RedisServer

/// Drives the Raft core, turn by turn. A turn never waits for a disk or a socket (but see `persistHere`): it takes
/// everything that is queued, steps the core, and hands the effects to the threads that carry them out.
///
/// One turn: events in, clients' segments into blocks, one read token, the clock; then effects out. Everything that was
/// queued at the turn's beginning shares one entry, one message to each peer, one synced write.
///
/// What comes in is here; what clients want is in `Consensus+Clients`, what goes out in `Consensus+Effects`, the membership
/// in `Consensus+Membership`, snapshots in `Consensus+Snapshots`, room on disks in `Consensus+Space`, the comparison of
/// replicas in `Consensus+Comparison`.
///
/// One turn at a time, whichever thread takes it: `ConsensusInbox`.
final class Consensus {
    struct Parts {
        var group: GroupID
        var node: NodeID
        /// Of this process.
        var incarnation: UInt64
        var inbox: ConsensusInbox
        var logWriter: LogWriter
        var applier: Applier
        var comparisonReader: ComparisonReader
        var transport: PeerTransport
        var book: MemberBook
        var space: SpaceBoard
        var snapshots: SnapshotTraffic
        var pool: BlockingPool
        var store: NodeStore
        /// The node was repaired: it is no new founder, however empty its log is (`NodeStore.hasForgotten`).
        var hasForgotten: Bool
        var submissions: SubmissionTable
        var board: StatusBoard
        var alarms: AlarmBoard
        var metrics: NodeMetrics
        var failure: FailureLatch
        /// Set when this node was removed from the cluster, and knows it for ever.
        var departure: FailureLatch
        var progress: ThreadProgress
        var logger: Logger
    }

    struct Limits {
        var outbox: Outbox.Limits
        /// Segments are joined to a block until it is this large; one always fits.
        var maxBlockBytes: Int
        /// No more is proposed while this many bytes wait for commit.
        var maxUncommittedBytes: Int
        /// How far the log may be cut.
        var flushPolicy: FlushPolicy
        /// How long an empty founder looks for the others before it takes them for not started.
        var foundingGrace: Duration
        /// How often a node that was removed asks the members whether they know of it.
        var knockInterval: Duration
        /// How long nodes that were removed are still dialled: a leader among them must hear the others to be able to go.
        var farewellTime: Duration
        /// How long a change of the membership may take.
        var adminTimeout: Duration
        /// How often a leader that is low on room tries to hand over.
        var roomTransferInterval: Duration
    }

    /// Forwarded segments that wait for room in the log; beyond this, or beyond `maxUncommittedBytes` of them, they are
    /// dropped, and their origin sends again.
    private static let maxHeldForwards = 4096
    /// The thread shows that it lives at least this often.
    private static let maxSleep = Duration.seconds(1)
    /// The board is about this old while turns are taken.
    private static let publishInterval = Duration.milliseconds(5)
    /// After the last turn the thread wakes up for the board: seldom, or it would do so between any two turns.
    private static let maxBoardAge = Duration.milliseconds(25)

    let parts: Parts
    let limits: Limits
    var core: RaftCore
    var outbox: Outbox
    var desk: MembershipDesk
    /// Who waits for the desk, by ticket.
    var deskCallers: [MembershipDesk.Ticket: @Sendable (MembershipDesk.Answer) -> Void] = [:]
    var lastDeskTicket: MembershipDesk.Ticket = 0
    /// The note of this node's removal is being written.
    var isLeaving = false
    /// After this node's removal: when to ask the members again whether they know of it.
    var nextKnock: MonotonicTime?
    /// After a change: when those who were removed by it are not dialled any more.
    var nextFarewell: MonotonicTime?
    /// The last change that this node has applied stands here or before.
    var lastChange: LogIndex
    /// A leader has said that changes up to here are settled.
    var settledThrough = LogIndex.zero
    /// Followers that a snapshot is on its way to.
    var shipping: Set<NodeID> = []
    var snapshotRetries = SnapshotRetries()
    var acceptor = ForwardAcceptor()
    var heldForwards: Deque<ForwardedSegment> = []
    var heldForwardBytes = 0
    var reads: ReadCoordinator<ReadWaiter>
    var stamps = StampClock()
    private var lastSequence: UInt64 = 0
    var lastProposal: UInt64 = 0
    /// Of the batches that were given to the log writer, and of those that it has written.
    var lastQueued = PersistTicket(0)
    var lastPersisted = PersistTicket(0)
    /// What this turn has to write, and then to apply.
    var toWrite: Deque<PersistBatch> = []
    var toApply: Deque<[Entry]> = []
    /// The log writer has a snapshot to install, or is at it: nobody else may write or apply.
    var isInstalling = false
    /// Entries that are being read for followers: they must not be cut off meanwhile.
    var openFetches: Set<FetchRequest> = []
    /// Of whoever takes this turn.
    var patience = TurnPatience.none
    /// How long this node's last write to its log took, and the last page of entries that it applied.
    var lastWriteTime = Duration.zero
    var lastApplyTime = Duration.zero
    private var isFirstTurn = true
    private var isTaking = true
    private var isStopped = false
    var lastPublished = MonotonicTime.zero
    var isBoardStale = true
    /// The last index that is cut off the log.
    var truncated: LogIndex
    /// Of a founder whose directory is empty, until it is decided whether it may vote.
    private var foundingGuard: FoundingGuard?
    /// Whether the disk says that this node must not vote.
    private var isSuspect: Bool
    private var hasToldOfData = false
    /// What is known of the members' disks, and what follows from it: `Consensus+Space`.
    var rooms = RoomTable()
    var isDiskFull = false
    /// The others are to be told of this node's disk.
    var isRoomReportDue = false
    /// Something was heard on which a leader's verdict may depend.
    var isRoomNews = false
    /// The leader's word that the doors act upon.
    var lastVerdict: RoomVerdict?
    var lastRoomTransfer: MonotonicTime?
    /// The state is durable up to here.
    var lastDurableState = LogIndex.zero
    private var logTailStart = LogIndex.zero
    /// Nil: this node asks for none.
    var comparison: ReplicaComparison?

    /// - Parameter truncated: the last index that is cut off the log at the start.
    init(
        core: RaftCore, truncated: LogIndex, parts: Parts, limits: Limits, comparison: ReplicaComparison?
    ) {
        self.comparison = comparison
        isSuspect = !core.mayVote
        if isSuspect, core.lastIndex == .zero, !parts.hasForgotten {
            foundingGuard = FoundingGuard(
                others: core.membership.all.filter { $0 != parts.node },
                deadline: SystemClock.monotonic().advanced(by: limits.foundingGrace))
        }
        self.truncated = truncated
        lastChange = core.appliedIndex
        self.core = core
        self.parts = parts
        self.limits = limits
        outbox = Outbox(limits: limits.outbox)
        desk = MembershipDesk(patience: limits.adminTimeout)
        reads = ReadCoordinator(parkTimeout: limits.outbox.parkTimeout, incarnation: parts.incarnation)
    }

    /// Nothing is taken any more: the node stops, or has failed.
    var isOver: Bool { isStopped || parts.failure.isSet }

    /// Whether a thread that is not the consensus thread may take the turn.
    ///
    /// - Parameter patience: with some it may wait for the disk, as long as its writes are quick.
    func admitsTurn(_ patience: TurnPatience) -> Bool {
        guard !isOver else { return false }
        return !decidesAlone || patience > .none && isDiskQuick
    }

    /// Takes events, and does what follows from them and from the time.
    ///
    /// - Parameter patience: with some, a node that decides alone may write to its disk here and now. One of a group may
    ///   always do the little that it does in its turn.
    /// - Returns: when the next turn is due, whatever comes.
    func turn(_ events: [ConsensusEvent], _ patience: TurnPatience) -> MonotonicTime {
        parts.progress.busy()
        defer { parts.progress.idle() }
        self.patience = decidesAlone ? patience : max(patience, .brief)
        if isFirstTurn {
            isFirstTurn = false
            beginToLeaveIfRemoved()
        }
        take(events, at: SystemClock.monotonic())
        return nextTurn()
    }

    private func nextTurn() -> MonotonicTime {
        let now = SystemClock.monotonic()
        let own = min(
            core.nextDeadline, outbox.nextDeadline, reads.nextDeadline, desk.nextDeadline,
            nextKnock ?? .never, nextFarewell ?? .never, snapshotRetries.nextDue,
            comparison?.nextDeadline ?? .never,
            now.advanced(by: Self.maxSleep))
        var deadline = isBoardStale ? min(own, lastPublished.advanced(by: Self.maxBoardAge)) : own
        if case .wait(let until)? = foundingGuard?.decision(at: now) { deadline = min(deadline, until) }
        return deadline
    }

    private func take(_ events: [ConsensusEvent], at now: MonotonicTime) {
        for event in events { take(event, at: now) }
        decideOnVoting(at: now)
        knockIfDue(at: now)
        if let nextFarewell, now >= nextFarewell { sayFarewell() }
        retrySnapshots(at: now)
        core.step(.timeAdvanced, at: now)
        outbox.setRoute(core.leader.map { Outbox.Route(leader: $0, term: core.term) })
        routeSegments(at: now)
        changeMembership(at: now)
        judgeRoom(at: now)
        askForReads(at: now)
        compareReplicas(at: now)
        perform(core.drainEffects(), at: now)
        answerReads(at: now)
        expire(at: now)
        publish(at: now)
    }

    // MARK: - Events in

    private func take(_ event: ConsensusEvent, at now: MonotonicTime) {
        isBoardStale = true
        switch event {
        case .submitted(let submission): enqueue(submission, at: now)
        case .readsRequested(let waiter):
            guard isTaking else { return waiter.sink.readsFailed(through: waiter.ticket, .stopping) }
            reads.enqueue(waiter, at: now)
        case .peerMessages(let messages): for message in messages { take(message, at: now) }
        case .linkUp(let peer, let direction):
            foundingGuard?.met(peer.node, hasData: peer.hasData)
            if parts.book.met(peer) { parts.transport.setPeers(parts.book.dialTable()) }
            if direction == .dialled, peer.node == core.leader { outbox.linkReset() }
        case .linkDown(let node, .dialled, _): core.step(.unreachable(node), at: now)
        case .linkDown(let node, .accepted, .closedByPeer):
            if node == core.leader { core.step(.leaderLost(node), at: now) }
        case .linkDown(_, .accepted, _): break
        case .persisted(let ticket, let time):
            lastPersisted = ticket
            lastWriteTime = time
            core.step(.persisted(ticket), at: now)
        case .applied(let notice): take(notice, at: now)
        case .fetched(let request, let entries):
            openFetches.remove(request)
            core.step(.fetched(request, entries: entries), at: now)
        case .stateDurable(let index, let tailStart):
            (lastDurableState, logTailStart) = (index, tailStart)
            truncateLog(durable: index)
        case .truncated(let entry):
            truncated = entry.index
            parts.space.noteCut()
            core.step(.compacted(entry), at: now)
        case .roomMeasured(let room): roomMeasured(room, at: now)
        case .votingAllowed: core.step(.votingAllowed, at: now)
        case .wished(let wish): take(wish, at: now)
        // Whoever says so has met this id before: the cluster is not new.
        case .knownOtherwise(let node): foundingGuard?.met(node, hasData: true)
        case .removedBy(let node): leave("node \(node) says so")
        case .snapshotReported(let node, let report): shipped(to: node, report, at: now)
        case .snapshotReceived(let meta, let sender, let term):
            core.step(.snapshotReceived(meta, from: sender, term: term), at: now)
        case .snapshotInstalled(let meta, let directory):
            isInstalling = false
            installed(meta, directory, at: now)
        case .compared(let report, let lastKeys): comparison?.take(report, lastKeys: lastKeys)
        case .stopTaking: isTaking = false
        case .stop: isStopped = true
        }
    }

    private func enqueue(_ submission: Submission, at now: MonotonicTime) {
        guard isTaking else {
            let result = WriteResult(ticket: submission.ticket, outcomes: .failure(.stopping))
            return submission.sink.writesCompleted([result])
        }
        lastSequence += 1
        let origin = Origin(node: parts.node.rawValue, incarnation: parts.incarnation, sequence: lastSequence)
        parts.submissions.insert(.init(ticket: submission.ticket, sink: submission.sink), sequence: lastSequence)
        outbox.enqueue(sequence: lastSequence, segment: submission.segment.sign(origin), at: now)
    }

    private func take(_ message: PeerMessage, at now: MonotonicTime) {
        guard message.group == parts.group else { return }
        switch message {
        case .raft(let message):
            Failpoint.transferReceived.reach(when: message.body == .timeoutNow)
            core.step(.received(message), at: now)
        case .forward(let forwarded):
            guard heldForwards.count < Self.maxHeldForwards, heldForwardBytes < limits.maxUncommittedBytes else {
                return parts.metrics.refusedForwards.add()
            }
            heldForwards.append(forwarded)
            heldForwardBytes += forwarded.segment.count
        case .room(let report): heard(report)
        case .comparisonRequest(let request): take(request)
        case .comparisonReport(let report): comparison?.take(report)
        }
    }

    func take(_ notice: AppliedNotice, at now: MonotonicTime) {
        lastApplyTime = notice.time
        core.step(.applied(notice.last.index), at: now)
        if let cluster = notice.cluster { adopt(cluster, at: notice.last.index) }
        // First what was settled, then what the entry's term proves lost: both may stand in one page.
        for sequence in notice.settled { outbox.settled(sequence, at: now) }
        outbox.applied(term: notice.last.term)
        stamps.observe(notice.stamp)
    }

    // MARK: - The right to vote

    private func decideOnVoting(at now: MonotonicTime) {
        if !hasToldOfData, core.lastIndex > .zero {
            hasToldOfData = true
            parts.transport.updateIdentity { $0.hasData = true }
        }
        guard isSuspect else { return }
        switch foundingGuard?.decision(at: now) {
        case .wait: return
        case .vote: becomeTrusted(then: .votingAllowed)
        case .catchUpFirst:
            parts.logger.notice(
                "this directory is empty and the cluster is not: voting only after catching up with a leader")
            foundingGuard = nil
        case nil:
            if core.mayVote {
                parts.logger.notice("caught up with a leader: voting from now on")
                becomeTrusted(then: nil)
            }
        }
    }

    /// Notes on disk that this node may vote, and only then lets the core know.
    private func becomeTrusted(then event: ConsensusEvent?) {
        isSuspect = false
        foundingGuard = nil
        let (store, failure, inbox) = (parts.store, parts.failure, parts.inbox)
        parts.pool.run {
            do throws(StorageError) {
                try store.setSuspect(false)
                if let event { inbox.push(event) }
            } catch {
                failure.fail(NodeFailure(storage: error))
            }
        }
    }

    // MARK: - Upkeep

    /// Cuts the log below what is durable in the state and what no member needs any more (or not within the limits),
    /// but for some slack; without any where room is short.
    func truncateLog(durable: LogIndex) {
        let unread = openFetches.map(\.from).min()?.previous ?? LogIndex(.max)
        let index = limits.flushPolicy.truncation(
            durableApplied: min(durable, core.appliedIndex), lowestMatch: min(dispensableIndex, unread),
            truncated: truncated, tailStart: logTailStart, keepsSlack: !parts.space.isPressed)
        guard let index, let term = core.term(at: index) else { return }
        parts.logWriter.push(.truncate(parts.group, EntryID(term: term, index: index)))
    }

    private func expire(at now: MonotonicTime) {
        if outbox.nextDeadline <= now || reads.nextDeadline <= now { isBoardStale = true }
        desk.expire(at: now)
        answerDesk()
        var results = ResultGroups()
        for (sequence, expiry) in outbox.expire(at: now) {
            guard let entry = parts.submissions.take(sequence) else { continue }
            results.add(WriteResult(ticket: entry.ticket, outcomes: .failure(failure(of: expiry))), for: entry.sink)
        }
        results.deliver()
        let reason: ReadFailure = core.leader == nil ? .noLeader : .notConfirmed
        for waiter in reads.expire(at: now) { waiter.sink.readsFailed(through: waiter.ticket, reason) }
    }

    private func failure(of expiry: Outbox.Expiry) -> WriteFailure {
        switch expiry {
        case .noLeader:
            parts.metrics.parkedExpired.add()
            return .noLeader
        case .busy:
            parts.metrics.parkedExpired.add()
            return parts.space.admission == .none ? .noSpace : .busy
        case .inDoubt:
            parts.metrics.inDoubt.add()
            return .inDoubt
        }
    }

    private func publish(at now: MonotonicTime) {
        parts.board.readsAreLocal = core.readsAreLocal
        guard isBoardStale, now >= lastPublished.advanced(by: Self.publishInterval) else { return }
        lastPublished = now
        isBoardStale = false
        parts.board.publish(
            .init(core: core.status, waitingSegments: outbox.count, hasOpenReads: !reads.isEmpty))
    }

    /// At the end: nobody may wait for ever. What was sent to a leader is in doubt, the rest certainly not applied.
    func giveUpOnEverybody() {
        isTaking = false
        for waiter in reads.abandonAll() { waiter.sink.readsFailed(through: waiter.ticket, .stopping) }
        desk.abandonAll()
        answerDesk()
        var results = ResultGroups()
        for (sequence, wasSent) in outbox.abandonAll() {
            guard let entry = parts.submissions.take(sequence) else { continue }
            let failure: WriteFailure = wasSent ? .inDoubt : .stopping
            results.add(WriteResult(ticket: entry.ticket, outcomes: .failure(failure)), for: entry.sink)
        }
        results.deliver()
    }
}
