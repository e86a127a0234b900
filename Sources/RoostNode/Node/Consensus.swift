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
/// What clients want is here; the membership is in `Consensus+Membership`, snapshots in `Consensus+Snapshots`, room on
/// disks in `Consensus+Space`, the comparison of replicas in `Consensus+Comparison`.
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
    /// Up to this many bytes of entries are applied by whoever has the turn: a segment that an event loop waits for
    /// (`CommandBackend.submit`), with what is around it.
    private static let maxBytesAppliedHere = 33 << 10
    /// Up to this many where a command reads: each may have to ask the disk for its key, however few its bytes are.
    private static let maxReadingBytesAppliedHere = 4 << 10
    /// Up to this many bytes of entries a follower writes in its turn: about a lone command. With more clients at work the
    /// next message is better read meanwhile.
    private static let maxBytesWrittenHere = 1 << 10
    /// As long as the disk takes no longer than this, an event loop may wait for it: its other clients wait meanwhile.
    /// After a longer wait other threads do, until one is short again.
    private static let maxWaitElsewhere = Duration.milliseconds(1)
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
    private var acceptor = ForwardAcceptor()
    private var heldForwards: Deque<ForwardedSegment> = []
    private var heldForwardBytes = 0
    private var reads: ReadCoordinator<ReadWaiter>
    private var stamps = StampClock()
    private var lastSequence: UInt64 = 0
    private var lastProposal: UInt64 = 0
    /// Of the batches that were given to the log writer, and of those that it has written.
    private var lastQueued = PersistTicket(0)
    private var lastPersisted = PersistTicket(0)
    /// What this turn has to write, and then to apply.
    private var toWrite: Deque<PersistBatch> = []
    private var toApply: Deque<[Entry]> = []
    /// The log writer has a snapshot to install, or is at it: nobody else may write or apply.
    private var isInstalling = false
    /// Entries that are being read for followers: they must not be cut off meanwhile.
    private var openFetches: Set<FetchRequest> = []
    /// Of whoever takes this turn.
    private var patience = TurnPatience.none
    /// How long this node's last write to its log took, and the last page of entries that it applied.
    private var lastWriteTime = Duration.zero
    private var lastApplyTime = Duration.zero
    private var isFirstTurn = true
    private var isTaking = true
    private var isStopped = false
    private var lastPublished = MonotonicTime.zero
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

    private func take(_ notice: AppliedNotice, at now: MonotonicTime) {
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

    // MARK: - Clients' segments

    private func routeSegments(at now: MonotonicTime) {
        let isLeader = core.role == .leader
        // Leadership on its way to another node, say, takes nothing more; what waits here follows it there.
        let mayPropose =
            core.acceptsProposals && core.uncommittedBytes < limits.maxUncommittedBytes
        var segments: [Bytes] = []
        var origins: Set<NodeID> = []
        if !isLeader {
            heldForwards.removeAll()
            heldForwardBytes = 0
        } else if mayPropose {
            acceptForwards(into: &segments, from: &origins)
        }
        if isLeader {
            if mayPropose { segments += outbox.takeSends(isLocal: true, at: now).map(\.segment) }
            propose(segments, at: now)
            // Clients there are answered from what that node applies.
            for node in origins { core.step(.commitAwaited(by: node), at: now) }
        } else if let leader = core.leader {
            forward(outbox.takeSends(isLocal: false, at: now), to: leader)
        }
    }

    private func acceptForwards(into segments: inout [Bytes], from origins: inout Set<NodeID>) {
        heldForwardBytes = 0
        while let forwarded = heldForwards.popFirst() {
            guard isWellFormed(forwarded) else { continue }
            let verdict = acceptor.judge(
                origin: forwarded.from, incarnation: forwarded.incarnation, sentIn: forwarded.term,
                previous: forwarded.previous, sequence: forwarded.sequence, leaderTerm: core.term)
            guard verdict == .accept else {
                parts.metrics.refusedForwards.add()
                continue
            }
            segments.append(forwarded.segment)
            origins.insert(forwarded.from)
        }
    }

    /// What enters the log is applied by every node: one that can't be applied must not get in.
    private func isWellFormed(_ forwarded: ForwardedSegment) -> Bool {
        do throws(FormatError) {
            let (origin, _) = try SegmentView.validate(forwarded.segment)
            return origin.node == forwarded.from.rawValue && origin.incarnation == forwarded.incarnation
                && origin.sequence == forwarded.sequence
        } catch {
            parts.logger.error(
                "refused a malformed segment", metadata: ["peer.id": "\(forwarded.from)", "error": "\(error)"])
            return false
        }
    }

    private func propose(_ segments: [Bytes], at now: MonotonicTime) {
        guard !segments.isEmpty else { return }
        let stamp = stamps.next(wallMilliseconds: SystemClock.wallMilliseconds())
        var proposals: [Proposal] = []
        var block: [Bytes] = []
        var bytes = 0
        for segment in segments {
            if !block.isEmpty, bytes + segment.count > limits.maxBlockBytes {
                proposals.append(proposal(of: block, stamp: stamp))
                block.removeAll(keepingCapacity: true)
                bytes = 0
            }
            block.append(segment)
            bytes += segment.count
        }
        proposals.append(proposal(of: block, stamp: stamp))
        parts.metrics.proposedBlocks.add(proposals.count)
        parts.metrics.proposedSegments.add(segments.count)
        core.step(.proposed(proposals), at: now)
    }

    private func proposal(of block: [Bytes], stamp: UInt64) -> Proposal {
        lastProposal += 1
        return Proposal(token: ProposalToken(lastProposal), payload: Block.encode(stamp: stamp, segments: block))
    }

    private func forward(_ sends: [Outbox.Send], to leader: NodeID) {
        guard !sends.isEmpty else { return }
        parts.metrics.forwardedSegments.add(sends.count)
        parts.transport.send(
            sends.map { send in
                .forward(
                    ForwardedSegment(
                        group: parts.group, from: parts.node, to: leader, term: core.term,
                        incarnation: parts.incarnation, previous: send.previous, sequence: send.sequence,
                        segment: send.segment))
            })
    }

    // MARK: - Clients' reads

    private func askForReads(at now: MonotonicTime) {
        guard let token = reads.takeToken(hasLeader: core.leader != nil) else { return }
        parts.metrics.readRounds.add()
        core.step(.readIndexRequested(token), at: now)
    }

    private func answerReads(at now: MonotonicTime) {
        for waiter in reads.takeReady(applied: core.appliedIndex) { waiter.sink.readsReady(through: waiter.ticket) }
    }

    // MARK: - Effects out

    private func perform(_ effects: [Effect], at now: MonotonicTime) {
        handOut(effects)
        // What is written here may commit, and so be applied.
        while !parts.failure.isSet {
            if let batch = toWrite.popFirst() {
                persistHere(batch, at: now)
            } else if let entries = toApply.popFirst() {
                apply(entries, at: now)
            } else {
                return
            }
        }
    }

    /// Messages leave before anything is written: the others' disks work beside this one.
    private func handOut(_ effects: [Effect]) {
        var outgoing: [PeerMessage] = []
        for effect in effects {
            switch effect {
            case .send(let message): outgoing.append(.raft(message))
            case .persist(let batch): toWrite.append(batch)
            case .apply(let entries): toApply.append(entries)
            case .fetch(let request): fetch(request)
            case .readReady(let token, let index): reads.ready(token, at: index)
            case .readFailed(let token): reads.failed(token)
            case .roleChanged(let change): roleChanged(change)
            case .sendSnapshot(let node): ship(to: node)
            case .installSnapshot(let meta):
                // It comes after everything else.
                while let batch = toWrite.popFirst() { leaveToLogWriter(batch) }
                while let entries = toApply.popFirst() { parts.applier.push(.entries(entries)) }
                isInstalling = true
                install(meta)
            case .discardSnapshot(let meta): parts.snapshots.discard(meta)
            case .membershipChanged(let membership): membershipChanged(membership)
            case .membershipSettled(let index): membershipSettled(through: index)
            case .learnerCaughtUp(let node):
                parts.logger.notice("a learner has caught up", metadata: ["peer.id": "\(node)"])
                desk.addPromotion(of: node)
            case .transferEnded(let outcome): transferEnded(outcome)
            case .peerMisbehaved(let node, let what):
                parts.logger.error("peer misbehaved", metadata: ["peer.id": "\(node)", "error": "\(what)"])
            case .violated(let violation): return parts.failure.fail(NodeFailure(violation: violation))
            case .proposalRefused(let token, let refusal): proposalRefused(token, refusal)
            case .proposalResolved(let token, let outcome): desk.resolved(token, outcome)
            // Clients' outcomes come with the apply stream (`Outbox`).
            case .proposalAccepted: break
            }
        }
        if !outgoing.isEmpty { parts.transport.send(outgoing) }
    }

    private func proposalRefused(_ token: ProposalToken, _ refusal: ProposalRefusal) {
        guard !MembershipDesk.owns(token) else { return desk.refused(token, refusal) }
        // Clients' segments are proposed only while this node leads and has room, in the same step.
        parts.failure.fail(
            NodeFailure(
                violation: InvariantViolation(rule: "proposal-refused", detail: "\(refusal) of \(token.rawValue)")))
    }

    private var decidesAlone: Bool { core.membership.isAlone(parts.node) }

    private var isDiskQuick: Bool { max(lastWriteTime, lastApplyTime) <= Self.maxWaitElsewhere }

    /// Writes a batch now if that saves a way to the log writer and back, else leaves it to that thread.
    ///
    /// A node that decides alone has nothing else to do while its disk works: nobody is to be heard or answered
    /// meanwhile, and what clients send waits in the inbox for the next write. A follower of a leader with one client has
    /// little else to do: what comes meanwhile shares the next write. A leader must hear its followers while it writes.
    private func persistHere(_ batch: PersistBatch, at now: MonotonicTime) {
        let mayWrite = decidesAlone ? mayWriteAlone(batch) : mayWriteAsFollower(batch)
        guard mayWrite, !isInstalling, lastQueued <= lastPersisted else { return leaveToLogWriter(batch) }
        do throws(StorageError) {
            let start = SystemClock.monotonic()
            try parts.store.write([batch])
            lastWriteTime = SystemClock.monotonic().since(start)
            parts.metrics.logSync.record(lastWriteTime)
        } catch {
            return parts.failure.fail(NodeFailure(storage: error))
        }
        core.step(.persisted(batch.ticket), at: now)
        handOut(core.drainEffects())
        Failpoint.logAfterReport.reach()
    }

    /// Others may have brought more than what the thread that takes this turn is willing to wait for.
    private func mayWriteAlone(_ batch: PersistBatch) -> Bool {
        switch patience {
        case .none: false
        case .brief: Self.bytes(of: batch.entries) <= Self.maxBytesAppliedHere
        case .unlimited: true
        }
    }

    private func mayWriteAsFollower(_ batch: PersistBatch) -> Bool {
        core.role == .follower && isDiskQuick && Self.bytes(of: batch.entries) <= Self.maxBytesWrittenHere
    }

    private static func bytes(of entries: [Entry]) -> Int { entries.reduce(0) { $0 + $1.footprintBytes } }

    private func leaveToLogWriter(_ batch: PersistBatch) {
        lastQueued = batch.ticket
        parts.logWriter.push(.persist(batch))
    }

    /// Applies a few entries now: the way to the applier and back would take longer. Many are applied while the next
    /// batch is written.
    ///
    /// The core must have heard of everything before: what the applier reports may still wait in the inbox.
    private func apply(_ entries: [Entry], at now: MonotonicTime) {
        // While the log writer waits for the disk, RocksDB has every other write wait behind it: no turn may.
        guard patience > .none, !isInstalling, lastQueued <= lastPersisted, decidesAlone || isDiskQuick,
            parts.applier.isIdle, core.appliedIndex.next == entries.first?.index, areQuicklyApplied(entries)
        else { return parts.applier.push(.entries(entries)) }
        do throws(NodeFailure) {
            // The store lets writers wait when it can't flush fast enough: `take` notes how long.
            for notice in try parts.applier.applyHere(entries) { take(notice, at: now) }
        } catch {
            return parts.failure.fail(error)
        }
        handOut(core.drainEffects())
    }

    private func areQuicklyApplied(_ entries: [Entry]) -> Bool {
        let bytes = Self.bytes(of: entries)
        if bytes <= Self.maxReadingBytesAppliedHere { return true }
        return bytes <= Self.maxBytesAppliedHere && !entries.contains { StateMachine.reads($0) }
    }

    private func fetch(_ request: FetchRequest) {
        openFetches.insert(request)
        let (store, failure, inbox) = (parts.store, parts.failure, parts.inbox)
        parts.pool.run {
            do throws(StorageError) {
                inbox.push(.fetched(request, try store.entries(request)))
            } catch {
                failure.fail(NodeFailure(storage: error))
            }
        }
    }

    private func roleChanged(_ change: RoleChange) {
        isBoardStale = true
        lastPublished = .zero
        isRoomReportDue = true
        parts.metrics.leaderChanges.add()
        parts.logger.notice(
            "role changed",
            metadata: [
                "raft.role": "\(change.role.rawValue)", "raft.term": "\(change.term)",
                "raft.leader": "\(change.leader.map { "\($0)" } ?? "none")",
            ])
        beginToLeaveIfRemoved()
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
