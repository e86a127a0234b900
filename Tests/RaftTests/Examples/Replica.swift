import Raft

/// One node in memory: a core, the log that it would have on disk, and a machine. It carries out every effect at once.
struct Replica<Machine: StateMachine> where Machine.Failure == Never {
    /// What goes from node to node.
    enum Parcel {
        case message(Message)
        case snapshot(Machine.Snapshot, SnapshotMeta, from: NodeID, to: NodeID, term: Term)
    }

    /// What became of a proposal.
    enum Outcome {
        case applied(Machine.Output)
        /// It is not in the log, and certainly never will be: propose again if you like.
        case withoutEffect
        /// A snapshot hides whether it was applied.
        case unknown
    }

    private(set) var core: RaftCore
    private(set) var machine: Machine
    private(set) var outcomes: [ProposalToken: Outcome] = [:]
    private var log: [Entry] = []
    private var accepted: [EntryID: ProposalToken] = [:]
    private var received: Machine.Snapshot?
    private let node: NodeID

    init(node: NodeID, machine: Machine, configure: (inout Configuration) -> Void = { _ in }) {
        var configuration = Configuration(group: GroupID(1), node: node, seed: 1)
        configure(&configuration)
        self.node = node
        self.machine = machine
        core = RaftCore(
            configuration: configuration, restored: RestoredState(membership: machine.applied.membership), now: .zero)
    }

    /// Tells the core something, and does what it wants done.
    ///
    /// - Returns: what is to be sent; it may get lost.
    mutating func give(_ input: Input, at now: MonotonicTime) -> [Parcel] {
        var parcels: [Parcel] = []
        core.step(input, at: now)
        var effects = core.drainEffects()
        while !effects.isEmpty {
            for effect in effects { carryOut(effect, at: now, &parcels) }
            effects = core.drainEffects()
        }
        return parcels
    }

    mutating func receive(_ parcel: Parcel, at now: MonotonicTime) -> [Parcel] {
        switch parcel {
        case .message(let message): return give(.received(message), at: now)
        case .snapshot(let snapshot, let meta, let sender, _, let term):
            received = snapshot
            return give(.snapshotReceived(meta, from: sender, term: term), at: now)
        }
    }

    private mutating func carryOut(_ effect: Effect, at now: MonotonicTime, _ parcels: inout [Parcel]) {
        switch effect {
        case .persist(let batch):
            if let first = batch.truncateFrom { log.removeAll { $0.index >= first } }
            log.append(contentsOf: batch.entries)
            core.step(.persisted(batch.ticket), at: now)
        case .send(let message): parcels.append(.message(message))
        case .apply(let entries):
            apply(entries)
            core.step(.applied(machine.applied.index), at: now)
        case .fetch(let request):
            let wanted = log.filter { $0.index >= request.from && $0.index <= request.through }
            core.step(.fetched(request, entries: wanted), at: now)
        case .sendSnapshot(let follower):
            let meta = machine.applied
            parcels.append(.snapshot(machine.snapshot(), meta, from: node, to: follower, term: core.term))
        case .installSnapshot(let meta):
            guard let snapshot = received else { fatalError("a snapshot that never came") }
            machine.install(snapshot, meta)
            log = []
            core.step(.snapshotInstalled(meta), at: now)
        case .proposalAccepted(let token, let id): accepted[id] = token
        case .proposalRefused(let token, _), .proposalResolved(let token, .lost): outcomes[token] = .withoutEffect
        case .proposalResolved(let token, .unknown): outcomes[token] = .unknown
        case .violated(let violation): fatalError("\(violation)")
        default: break
        }
    }

    private mutating func apply(_ entries: [Entry]) {
        guard let batch = try? ApplyBatch(entries, after: machine.applied) else {
            fatalError("made by a newer version")
        }
        for (entry, output) in zip(batch.commands, machine.apply(batch)) {
            if let token = accepted.removeValue(forKey: entry.id) { outcomes[token] = .applied(output) }
        }
    }

    /// Cuts the log's beginning that no follower needs any more.
    mutating func compact(at now: MonotonicTime) -> [Parcel] {
        let limit = min(core.truncatableIndex, machine.applied.index)
        guard let last = log.last(where: { $0.index <= limit }) else { return [] }
        log.removeAll { $0.index <= limit }
        return give(.compacted(last.id), at: now)
    }
}
