import ByteCoding
import DequeModule
import KeyValue
import Raft
import RaftStorage

/// One life of a node: the real core, the real state machine and the real store, driven by the shell's rules (`RoostNode`'s
/// consensus thread, log writer, applier and maintenance), but by events instead of threads.
///
/// One turn: everything in the inbox is stepped, then the clock, then proposals and reads; then the effects are carried
/// out. Writes and pages are under way until their events come.
final class NodeProcess {
    /// Both outlive the process: the world owns the nodes, they the processes, and all of it is one thread's. (Checked
    /// references would cost a twentieth of all time.)
    unowned(unsafe) let node: SimulatedNode
    unowned(unsafe) let world: World
    let life: UInt32
    var core: RaftCore
    /// The core after the latest turn.
    private(set) var view = CoreView()
    var log = LogQueue()
    var applying = ApplyQueue()
    var requests = RequestTable()
    var snapshots = SnapshotDesk()
    let store: NodeStore
    let files: SimulatedFiles
    let machine: KeyValueMachine<NodeState>
    /// What the state holds.
    var position: AppliedPosition
    private var announcedRole = RoleKind.follower
    private var inbox: [Input] = []
    private var isTurnPlanned = false
    /// Set while what gathered during a pause is taken.
    var isHolding = false
    /// The directories that it has met, by place; 0: none yet.
    var directories: [UInt64] = []
    /// Of an empty founder, until it is decided whether it may vote.
    var founding: FoundingGuard?
    private var turns = 0
    private var hasSentHeartbeat = false
    private var timer: (moment: WorldTime, generation: UInt32) = (.never, 0)
    /// The newest stamp in blocks made or applied here.
    var stamp: UInt64 = 0

    init(
        node: SimulatedNode, world: World, life: UInt32, core: RaftCore, store: NodeStore, files: SimulatedFiles,
        machine: KeyValueMachine<NodeState>, position: AppliedPosition
    ) {
        self.node = node
        self.world = world
        self.life = life
        self.core = core
        self.store = store
        self.files = files
        self.machine = machine
        self.position = position
    }

    var place: Int { node.place }

    var localTime: MonotonicTime { node.clock.time(at: world.now) }

    var membership: Membership { position.membership }

    /// The bytes of the state as they are now, for the judge.
    var stateTree: OrderedTree? { node.disk.visible.newestState }

    /// Unique among all processes.
    var incarnation: UInt64 { UInt64(place + 1) << 32 | UInt64(life) }

    // MARK: Turns

    func give(_ input: Input) {
        inbox.append(input)
        mindInbox()
    }

    /// Whether a change of the membership waits for its turn.
    var isAskedForChange: Bool {
        inbox.contains { if case .membershipChangeProposed = $0 { true } else { false } }
    }

    /// Takes a turn now or soon.
    func mindInbox() {
        if isHolding || isTurnPlanned { return }
        if world.driverRandom.chance(world.options.shell.batching) {
            isTurnPlanned = true
            let delay = world.driverRandom.duration(mean: 200 * Nanoseconds.perMicrosecond)
            world.plan(.turn(node: Int32(place), life: life), after: delay)
        } else {
            turn()
        }
    }

    /// The first turn.
    func begin() {
        core.look(into: &view)
        traceStart()
        beginFounding()
        turn()
    }

    func plannedTurn() {
        isTurnPlanned = false
        turn()
    }

    func timerFired(generation: UInt32) {
        guard generation == timer.generation else { return }
        timer.moment = .never
        if isHolding { return }
        if view.nextDeadline <= localTime { turn() } else { setTimer() }
    }

    func turn() {
        let now = localTime
        world.judge.turnBegins(place, leading: view.leading)
        if world.buggify.fires(.spuriousUnreachable, chance: 20), let peer = world.anyID() {
            inbox.append(.unreachable(peer))
        }
        if world.buggify.fires(.spuriousLeaderLost, chance: 5), let leader = view.leader {
            inbox.append(.leaderLost(leader))
        }
        if world.trace != nil { note(inbox) }
        for input in inbox { core.step(input, at: now) }
        inbox.removeAll(keepingCapacity: true)
        core.step(.timeAdvanced, at: now)
        routeSegments(at: now)
        askForReads(at: now)
        guard node.process === self else { return }
        let effects = core.drainEffects()
        let old = view
        core.look(into: &view)
        if world.trace != nil { note(effects, after: old) }
        hasSentHeartbeat = false
        perform(effects)
        guard node.process === self else { return }
        answerReads()
        guard node.process === self else { return }
        if node.isSuspect { noteTrust() }
        judgeBounds(after: old)
        setTimer()
    }

    /// All bounds with each heartbeat, and now and then.
    private func judgeBounds(after old: CoreView) {
        turns += 1
        judgeStall(after: old)
        if hasSentHeartbeat, old.leading == view.leading { world.judge.retains(place, view, after: old) }
        guard hasSentHeartbeat || turns % Boundedness.interval == 0 else { return }
        let peers = core.status.peers
        if let term = view.leading {
            world.judge.counts(peers.map { ($0.node, $0.matchIndex) }, on: place, in: term)
        }
        world.judge.bounds(
            Boundedness.Footprint(
                node: node.id, inflightMessages: peers.map(\.inflightMessages),
                uncommittedBytes: core.uncommittedBytes,
                unwrittenBytes: log.batches.reduce(log.writingBytes) { $0 + $1.entryBytes },
                unappliedBytes: applying.bytes, snapshotFiles: files.count, openReads: requests.readGroups.count))
    }

    private func setTimer() {
        var moment = node.clock.moment(of: view.nextDeadline)
        if world.buggify.fires(.lateTick) { moment = moment.advanced(by: 20 * Nanoseconds.perMillisecond) }
        guard moment < timer.moment, moment != .never else { return }
        timer = (max(moment, world.now), timer.generation &+ 1)
        world.plan(.timer(node: Int32(place), generation: timer.generation), at: timer.moment)
    }

    /// The clock was set: what was planned by it is wrong.
    func clockChanged() {
        timer = (.never, timer.generation &+ 1)
        setTimer()
    }

    // MARK: Effects

    private func perform(_ effects: [Effect]) {
        var batch: PersistBatch?
        if case .persist(let first)? = effects.first { batch = first }
        var changes: [Membership] = []
        for case .membershipChanged(let membership) in effects { changes.append(membership) }
        world.judge.turned(place, view, batch, changes: changes)
        var outgoing: [Message] = []
        for effect in effects {
            perform(effect, &outgoing)
            guard world.judge.violation == nil, node.process === self else { return }
        }
        send(outgoing)
    }

    private func perform(_ effect: Effect, _ outgoing: inout [Message]) {
        switch effect {
        case .persist(let batch): push(batch)
        case .send(let message): outgoing.append(message)
        case .apply(let entries): push(entries)
        case .fetch(let request): fetch(request)
        case .proposalAccepted(let token, let id): world.judge.accepted(token, of: incarnation, as: id)
        case .proposalRefused(let token, let refusal): refused(token, refusal)
        case .proposalResolved(let token, let outcome): resolved(token, outcome)
        case .readReady(let token, let index): readReady(token, index)
        case .readFailed(let token): readFailed(token)
        case .roleChanged(let change): roleChanged(change)
        case .sendSnapshot(let follower): sendSnapshot(to: follower)
        case .installSnapshot(let meta):
            snapshots.toInstall = meta
            installIfIdle()
        case .discardSnapshot(let meta): discardSnapshot(meta)
        case .membershipChanged(let membership): membershipChanged(membership)
        case .membershipSettled(let index):
            world.marks.reach(.changeSettled)
            world.judge.settled(through: index, on: place)
            world.membershipSettled(seenBy: node.id)
        case .learnerCaughtUp(let learner): world.learnerCaughtUp(learner)
        case .transferEnded(let outcome): transferEnded(outcome)
        case .peerMisbehaved(let peer, let what):
            world.judge.report(Violation(.integrity, "node \(node.id) says that \(peer) misbehaves: \(what)"))
        case .violated(let violation):
            world.judge.report(Violation(.coreRule, "node \(node.id): \(violation)", coreRule: violation.rule))
        }
    }

    private func send(_ messages: [Message]) {
        guard !messages.isEmpty else { return }
        if world.buggify.fires(.dropOutgoing) { return }
        if world.buggify.fires(.sendBackwards) {
            for message in messages.reversed() { send(message) }
        } else {
            for message in messages { send(message) }
        }
    }

    private func send(_ message: Message) {
        if case .heartbeat = message.body { hasSentHeartbeat = true }
        world.judge.sends(message, from: place)
        world.marks.note(sent: message)
        guard let to = world.place(of: message.to) else { return }
        var writer = ByteWriter(reservingCapacity: message.encodedByteCount)
        message.encode(into: &writer)
        world.send(Packet(from: place, to: to, content: .raft(writer.take())))
    }

    private func roleChanged(_ change: RoleChange) {
        world.marks.note(change, from: announcedRole)
        if announcedRole == .leader, !view.membership.isVoter(node.id) { world.marks.reach(.leaderRemoved) }
        announcedRole = change.role
        world.say { "n\(node.id) \(change.role.rawValue) term \(change.term)" }
        switch change.role {
        case .leader: world.judge.leads(place, in: change.term)
        case .candidate: world.judge.campaigns(place, in: change.term)
        case .follower, .preCandidate: break
        }
    }

    private func membershipChanged(_ membership: Membership) {
        world.say { "n\(node.id) membership \(membership.voters) + \(membership.learners) out \(membership.outgoing)" }
        world.membershipChanged(membership, on: node.id)
    }

    private func transferEnded(_ outcome: TransferOutcome) {
        if outcome == .steppedDown { world.marks.reach(.transferDone) }
        if case .timedOut = outcome { world.marks.reach(.transferTimedOut) }
    }

    // MARK: Messages in

    func receive(_ content: Packet.Content, from sender: Int) {
        switch content {
        case .forward(let forward):
            requests.forwards.append(forward)
            mindInbox()
        case .raft(let bytes):
            var reader = ByteReader(bytes)
            do throws(MalformedBytes) {
                let message = try Message(decoding: &reader)
                guard reader.isAtEnd else { throw MalformedBytes("end of the message", at: reader.offset) }
                give(.received(message))
            } catch {
                world.judge.report(Violation(.harness, "a message from place \(sender) cannot be read: \(error)"))
            }
        }
    }

    // MARK: Entries for followers

    private func fetch(_ request: FetchRequest) {
        world.marks.reach(.fetchedForFollower)
        let slot = requests.fetches.insert(request)
        var delay = world.diskRandom.duration(mean: world.options.disk.syncMean)
        if world.buggify.fires(.fetchLate) { delay *= 50 }
        world.plan(.fetched(node: Int32(place), life: life, slot: slot), after: delay)
    }

    func fetched(_ slot: Int32) {
        let request = requests.fetches.remove(slot)
        do throws(StorageError) {
            var entries = try store.entries(request)
            if world.buggify.fires(.fetchOne) { entries = Array(entries.prefix(1)) }
            give(.fetched(request, entries: entries))
        } catch {
            fail(error)
        }
    }

    // MARK: Failing

    /// A storage error ends the process, and is never tried again.
    func fail(_ error: StorageError) {
        switch error.kind {
        case .io: world.crash(place, because: "\(error)", restart: true)
        case .noSpace where node.disk.isFull:
            world.marks.reach(.stoppedWithoutSpace)
            world.crash(place, because: "\(error)", restart: true)
        // Its operator keeps the directory for analysis, and replaces the node.
        case .corruption where node.isDamaged:
            world.marks.reach(.corruptionMet)
            world.crash(place, because: "\(error)", restart: false)
            node.end(as: .gone)
        default: world.judge.report(Violation(.integrity, "node \(node.id): \(error)"))
        }
    }

    func fail(_ error: StateStoreError) { fail(StorageError(stateError: error)) }
}

extension StorageError {
    init(stateError error: StateStoreError) {
        let kind: Kind =
            switch error.kind {
            case .corruption: .corruption
            case .noSpace: .noSpace
            case .io: .io
            case .wouldBlock, .other: .other
            }
        self.init(kind, "the state: \(error.message)")
    }
}
