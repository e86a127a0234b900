import ByteCoding
import Raft
import Testing

/// A core with a disk and a state machine that do what the test says; by default at once.
struct TestNode {
    private(set) var core: RaftCore
    let configuration: Configuration
    var now: MonotonicTime
    private(set) var disk: TestDisk
    /// Batches that were given out and are not durable yet.
    private(set) var unsynced: [PersistBatch] = []
    /// Entries that were given out and are not applied yet.
    private(set) var unapplied: [Entry] = []
    /// What the state machine holds the effects of. (What a restored state machine held before its log begins is
    /// unknown.)
    private(set) var applied: [Entry] = []
    /// The state machine's own idea of the membership.
    private(set) var machineMembership: Membership
    private(set) var openFetches: [FetchRequest] = []
    /// Followers that the core wants a snapshot sent to, and nobody took care of yet.
    private(set) var snapshotRequests: [NodeID] = []
    /// Whole snapshots that arrived and were neither installed nor discarded.
    private(set) var receivedSnapshots: [TestSnapshot] = []
    /// The one to be installed, and the last batch that has to be durable before.
    private(set) var openInstall: (snapshot: TestSnapshot, after: PersistTicket?)?
    private(set) var installs = 0
    /// Messages that left and were not taken.
    private(set) var outbox: [Message] = []
    /// Every effect that is about something else.
    private(set) var events: [Effect] = []

    var syncsAtOnce = true
    var appliesAtOnce = true
    var fetchesAtOnce = true
    var installsAtOnce = true

    init(
        _ node: NodeID = 1, restored: RestoredState = RestoredState(membership: Membership(voters: [1, 2, 3])),
        disk: TestDisk? = nil, now: MonotonicTime = .zero, syncsAtOnce: Bool = true,
        configure: (inout Configuration) -> Void = { _ in }
    ) {
        var configuration = Configuration(group: group, node: node, seed: 7)
        configure(&configuration)
        self.configuration = configuration
        self.now = now
        self.core = RaftCore(configuration: configuration, restored: restored, now: now)
        self.disk = disk ?? TestDisk(restored, appliedEntries: [])
        self.applied = self.disk.history(through: restored.applied)
        self.machineMembership = restored.membership
        self.syncsAtOnce = syncsAtOnce
        if restored.applied > restored.truncated.index, disk == nil {
            preconditionFailure("a disk is needed for applied entries")
        }
        settle()
    }

    var id: NodeID { configuration.node }
    var status: Status { core.status }

    // MARK: Inputs

    /// Steps all inputs, then drains once.
    mutating func give(_ inputs: [Input]) {
        for input in inputs { core.step(input, at: now) }
        settle()
    }

    mutating func give(_ inputs: Input...) { give(inputs) }

    mutating func receive(from node: NodeID, term: Term, _ body: Message.Body) {
        give(.received(Message(group: group, from: node, to: id, term: term, body: body)))
    }

    mutating func propose(_ payloads: Bytes..., token: UInt64 = 1) {
        give(
            .proposed(
                payloads.enumerated().map {
                    Proposal(token: ProposalToken(token + UInt64($0.offset)), payload: $0.element)
                }))
    }

    mutating func propose(_ change: MembershipChange, token: UInt64 = 1) {
        give(.membershipChangeProposed(ProposalToken(token), change))
    }

    /// Lets time pass and tells it.
    mutating func wait(_ duration: Duration) {
        now = now.advanced(by: duration)
        give(.timeAdvanced)
    }

    /// Lets time pass until the election timeout fires.
    mutating func timeOut() {
        now = max(now, core.nextDeadline)
        give(.timeAdvanced)
    }

    // MARK: The disk and the state machine

    /// Makes the next batches durable: all, or as many as given; reports the last one's ticket.
    mutating func sync(_ count: Int = .max) {
        let done = unsynced.prefix(count)
        guard let last = done.last else { return }
        for batch in done { disk.write(batch) }
        unsynced.removeFirst(done.count)
        give(.persisted(last.ticket))
    }

    /// The power fails: some of the next batches have reached the disk, but nobody hears of it.
    mutating func tearOff(keeping count: Int) {
        for batch in unsynced.prefix(count) { disk.write(batch) }
        unsynced.removeFirst(min(count, unsynced.count))
        if let open = openInstall, isReady(open) { disk.install(open.snapshot) }
        unsynced = []
        openInstall = nil
    }

    /// Applies the next entries: all, or as many as given.
    mutating func applyAll(_ count: Int = .max) {
        guard let last = apply(count) else { return }
        give(.applied(last))
        checkMembership()
    }

    private mutating func apply(_ count: Int = .max) -> LogIndex? {
        let next = unapplied.prefix(count)
        machineMembership = machineMembership.following(next)
        applied.append(contentsOf: next)
        unapplied.removeFirst(next.count)
        return next.last?.index
    }

    /// The core and the state machine follow the membership separately, and must come to the same.
    private func checkMembership() {
        if core.membership != machineMembership, violation == nil {
            Issue.record("node \(id): membership \(core.membership), but the entries say \(machineMembership)")
        }
    }

    mutating func answerFetches() {
        let requests = openFetches
        openFetches = []
        for request in requests { give(.fetched(request, entries: disk.read(request))) }
    }

    mutating func compact(through index: LogIndex) { give(.compacted(disk.cut(through: index))) }

    // MARK: Snapshots

    /// A snapshot of what is applied.
    ///
    /// - Precondition: something is.
    func makeSnapshot() -> TestSnapshot {
        let index = core.appliedIndex
        let id = disk.entry(at: index)?.id ?? disk.truncated
        precondition(id.index == index, "node \(self.id) does not know the term of entry \(index)")
        return TestSnapshot(meta: SnapshotMeta(id: id, membership: machineMembership), applied: applied)
    }

    mutating func takeSnapshotRequests() -> [NodeID] {
        defer { snapshotRequests = [] }
        return snapshotRequests
    }

    /// The last byte of a snapshot has arrived, and its checksums fit.
    mutating func receive(_ snapshot: TestSnapshot, from node: NodeID, term: Term) {
        receivedSnapshots.append(snapshot)
        give(.snapshotReceived(snapshot.meta, from: node, term: term))
    }

    /// Installs the snapshot that is to be installed, if everything before it is durable and applied.
    mutating func install() {
        guard installIfReady() else { return }
        settle()
    }

    private mutating func installIfReady() -> Bool {
        guard let open = openInstall, isReady(open), unapplied.isEmpty else { return false }
        openInstall = nil
        installs += 1
        disk.install(open.snapshot)
        applied = open.snapshot.applied
        machineMembership = open.snapshot.meta.membership
        core.step(.snapshotInstalled(open.snapshot.meta), at: now)
        checkMembership()
        return true
    }

    private func isReady(_ open: (snapshot: TestSnapshot, after: PersistTicket?)) -> Bool {
        guard let after = open.after, let oldest = unsynced.first else { return true }
        return oldest.ticket > after
    }

    // MARK: What came out

    mutating func takeMessages() -> [Message] {
        defer { outbox = [] }
        return outbox
    }

    /// What was said since the last question.
    mutating func said() -> [Said] { takeMessages().map(Said.init) }

    mutating func takeEvents() -> [Effect] {
        defer { events = [] }
        return events
    }

    var violation: InvariantViolation? {
        for case .violated(let violation) in events { return violation }
        return nil
    }

    mutating func takeMisbehaviour() -> [NodeID] {
        takeEvents().compactMap { if case .peerMisbehaved(let node, _) = $0 { node } else { nil } }
    }

    private mutating func settle() {
        var effects = core.drainEffects()
        while !effects.isEmpty {
            for effect in effects { carryOut(effect) }
            if syncsAtOnce, let last = unsynced.last {
                for batch in unsynced { disk.write(batch) }
                unsynced = []
                core.step(.persisted(last.ticket), at: now)
            }
            if appliesAtOnce, let last = apply() {
                core.step(.applied(last), at: now)
                checkMembership()
            }
            if installsAtOnce { _ = installIfReady() }
            if fetchesAtOnce {
                for request in openFetches { core.step(.fetched(request, entries: disk.read(request)), at: now) }
                openFetches = []
            }
            effects = core.drainEffects()
        }
    }

    private mutating func carryOut(_ effect: Effect) {
        switch effect {
        case .persist(let batch): unsynced.append(batch)
        case .send(let message): outbox.append(message)
        case .apply(let entries):
            let last = unapplied.last?.index ?? core.appliedIndex
            #expect(entries.first?.index == last.next, "applied out of order")
            #expect(entries.last!.index <= disk.lastIndex, "applied before it was durable")
            unapplied.append(contentsOf: entries)
        case .fetch(let request):
            #expect(!openFetches.contains { $0.follower == request.follower })
            openFetches.append(request)
        case .sendSnapshot(let follower):
            // A new leadership may ask again while the shell is still at it.
            if !snapshotRequests.contains(follower) { snapshotRequests.append(follower) }
        case .installSnapshot(let meta): openInstall(of: meta)
        case .discardSnapshot(let meta):
            guard let place = receivedSnapshots.firstIndex(where: { $0.meta == meta }) else {
                Issue.record("node \(id) discards a snapshot that it has not received: \(meta)")
                return
            }
            receivedSnapshots.remove(at: place)
        case .proposalAccepted, .proposalRefused, .proposalResolved, .readReady, .readFailed, .roleChanged,
            .membershipChanged, .membershipSettled, .learnerCaughtUp, .transferEnded, .peerMisbehaved, .violated:
            events.append(effect)
        }
    }

    private mutating func openInstall(of meta: SnapshotMeta) {
        #expect(openInstall == nil, "two snapshots to install at once")
        guard let place = receivedSnapshots.firstIndex(where: { $0.meta == meta }) else {
            Issue.record("node \(id) installs a snapshot that it has not received: \(meta)")
            return
        }
        openInstall = (receivedSnapshots.remove(at: place), unsynced.last?.ticket)
    }
}
