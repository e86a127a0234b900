import Glibc
import KeyValue
import Logging
import NIOPosix
import PeerTransport
import Raft
import RaftStorage
import RedisServer

/// Storage, state machine, core and transport of this node's group, with the threads that run them.
final class Engine: Sendable {
    struct Environment: Sendable {
        var configuration: NodeConfiguration
        var group: GroupID
        var inbox: ConsensusInbox
        var board: StatusBoard
        var space: SpaceBoard
        var view: NodeView
        var pool: BlockingPool
        var failure: FailureLatch
        var departure: FailureLatch
        var eventLoops: MultiThreadedEventLoopGroup
        var addresses: NodeView.Addresses
        var logger: Logger
        var notifier: ServiceNotifier
    }

    let reader: any KeyValueReading
    private let environment: Environment
    private let store: NodeStore
    private let transport: PeerTransport
    private let maintenance: Maintenance
    private let logWriter: LogWriter
    private let applier: Applier
    private let consensusProgress: ThreadProgress
    private let backlog = CompactionBacklog()
    private let upkeep: BlockingPool
    private let snapshots: SnapshotTraffic
    /// Nil without a disk.
    private let watch: SpaceWatch?
    private let relief: SpaceRelief
    private let scrub: Scrub
    private let comparisonReader: ComparisonReader
    private let threads: [WorkerThread]

    private init(
        reader: any KeyValueReading, environment: Environment, store: NodeStore, transport: PeerTransport,
        maintenance: Maintenance, logWriter: LogWriter, applier: Applier, consensusProgress: ThreadProgress,
        upkeep: BlockingPool, snapshots: SnapshotTraffic, watch: SpaceWatch?, relief: SpaceRelief, scrub: Scrub,
        comparisonReader: ComparisonReader, threads: [WorkerThread]
    ) {
        self.reader = reader
        self.environment = environment
        self.store = store
        self.transport = transport
        self.maintenance = maintenance
        self.logWriter = logWriter
        self.applier = applier
        self.consensusProgress = consensusProgress
        self.upkeep = upkeep
        self.snapshots = snapshots
        self.watch = watch
        self.relief = relief
        self.scrub = scrub
        self.comparisonReader = comparisonReader
        self.threads = threads
    }

    // MARK: - Start

    static func start(_ environment: Environment) async throws -> Engine {
        let origin = try await Joining.origin(of: environment)
        let recovered = try await onThreadOfItsOwn("roost-recovery") {
            () throws(NodeFailure) in try Recovery.run(environment, as: origin)
        }
        let identity = recovered.store.identity
        environment.logger.notice(
            "recovered",
            metadata: [
                "raft.term": "\(recovered.restored.hardState.term)", "raft.index": "\(recovered.restored.lastIndex)",
                "raft.applied": "\(recovered.restored.applied)",
                "cluster.id": "\(hexadecimal(identity.clusterID))", "node.id": "\(identity.node)",
                "node.incarnation": "\(hexadecimal(identity.incarnation))",
            ])
        let book = memberBook(environment, recovered, origin)
        try await requireMembership(recovered.store, book)
        let snapshots = SnapshotTraffic(
            group: environment.group, store: recovered.store, space: environment.space, board: environment.board,
            failure: environment.failure, logger: environment.logger,
            // A leader without a majority steps down within two of them.
            copyPatience: environment.configuration.raft.checkQuorum
                ? environment.configuration.raft.electionTimeout * 20 : nil,
            report: { [inbox = environment.inbox] in inbox.push($0) })
        let transport = try await startTransport(environment, recovered, book, snapshots)
        environment.view.alarms.set(.repairs) { [repairs = recovered.repairs] in
            repairs.alarm(of: identity.node, at: SystemClock.wallMilliseconds() / 1000)
        }
        environment.view.set(
            NodeView.Opened(identity: identity, store: recovered.store, transport: transport, book: book))
        return assemble(environment, recovered, transport, book, snapshots)
    }

    /// A node that was removed stays down: its id will not come back.
    private static func requireMembership(_ store: NodeStore, _ book: MemberBook) async throws(NodeFailure) {
        try await onThreadOfItsOwn("roost-recovery") { () throws(NodeFailure) in
            do throws(StorageError) {
                // The log may say so already: then it runs without a vote until a leader says that all may rely on it.
                guard try store.isRemoved() else { return }
                try store.close()
            } catch {
                throw NodeFailure(storage: error)
            }
            throw NodeFailure.removed(book.node)
        }
    }

    private static func memberBook(
        _ environment: Environment, _ recovered: Recovery.Result, _ origin: NodeOrigin
    ) -> MemberBook {
        let identity = recovered.store.identity
        var own = ClusterDirectory.Member(peer: "\(environment.addresses.peer)")
        (own.redis, own.http) = ("\(environment.addresses.redis)", "\(environment.addresses.http)")
        own.incarnation = identity.incarnation
        let peers = environment.configuration.node.peers.map { (NodeID($0.key), $0.value) }
        return MemberBook(
            node: identity.node, cluster: recovered.machine.cluster,
            configured: Dictionary(uniqueKeysWithValues: peers.filter { $0.0 != identity.node }),
            introduced: origin.introduced, own: own)
    }

    private static func startTransport(
        _ environment: Environment, _ recovered: Recovery.Result, _ book: MemberBook, _ snapshots: SnapshotTraffic
    ) async throws -> PeerTransport {
        let configuration = environment.configuration
        let identity = recovered.store.identity
        let addresses = environment.addresses
        let gate = PeerGate(
            inbox: environment.inbox, store: recovered.store, book: book, snapshots: snapshots,
            board: environment.board, failure: environment.failure, logger: environment.logger)
        let transport = PeerTransport(
            identity: PeerIdentity(
                clusterID: identity.clusterID, clusterName: identity.clusterName, node: identity.node,
                incarnation: identity.incarnation,
                hasData: recovered.restored.lastIndex > .zero || recovered.hasForgotten,
                advertisedRedis: "\(addresses.redis)",
                advertisedPeer: configuration.advertise.peer.map { "\($0)" } ?? "",
                advertisedHTTP: "\(addresses.http)"),
            limits: transportLimits(configuration.limits),
            group: environment.eventLoops, logger: environment.logger, delegate: gate)
        let listen = configuration.listen.peer
        do throws(PeerTransportError) {
            let bound = try await transport.start(
                listen: PeerAddress(host: listen.host, port: listen.port), peers: book.dialTable())
            environment.view.setPeerPort(bound.port)
            book.setOwnPeerAddress("\(configuration.advertise.peer ?? HostPort(host: bound.host, port: bound.port))")
            environment.logger.info("listening", metadata: ["listen.peer": "\(bound)"])
        } catch {
            recovered.store.abandon()
            throw NodeFailure.cannotListen("listen.peer", listen, errno: error.errno, error.cause)
        }
        return transport
    }

    static func transportLimits(_ limits: NodeConfiguration.Limits) -> PeerTransportLimits {
        var transport = PeerTransportLimits(
            maxFrameBytes: limits.peerMaxFrameBytes, maxMessageBytes: limits.peerMaxMessageBytes,
            maxQueuedBytes: limits.peerQueueBytes, reconnectMax: limits.peerReconnectMax)
        transport.snapshotChunkBytes = limits.snapshotChunkBytes
        transport.snapshotBytesPerSecond = limits.snapshotRateBytes
        transport.snapshotWindowBytes = limits.snapshotWindowBytes
        transport.snapshotStallTimeout = limits.snapshotStallTimeout
        transport.snapshotTimeout = limits.snapshotTimeout
        transport.snapshotFinishTimeout = limits.snapshotFinishTimeout
        return transport
    }

    private static func assemble(
        _ environment: Environment, _ recovered: Recovery.Result, _ transport: PeerTransport, _ book: MemberBook,
        _ snapshots: SnapshotTraffic
    ) -> Engine {
        let (inbox, failure, metrics) = (environment.inbox, environment.failure, environment.view.metrics)
        let report: @Sendable (ConsensusEvent) -> Void = { inbox.bring($0) }
        let submissions = SubmissionTable()
        let flushPolicy = FlushPolicy(recovered.storeConfiguration)
        let maintenance = Maintenance(
            group: environment.group, store: recovered.store, policy: flushPolicy, space: environment.space,
            metrics: metrics, failure: failure, report: report)
        if recovered.replayed.entries > 0 {
            maintenance.noteApplied(
                entries: recovered.replayed.entries, bytes: recovered.replayed.bytes,
                through: recovered.restored.applied)
        }
        let installer = SnapshotInstaller(
            group: environment.group, store: recovered.store, machine: recovered.machine, traffic: snapshots)
        let logWriter = LogWriter(
            store: recovered.store, installer: installer, metrics: metrics, failure: failure,
            report: { event in
                report(event)
                if case .truncated = event { maintenance.look() }
            })
        let applier = Applier(
            machine: recovered.machine, submissions: submissions, metrics: metrics, failure: failure,
            maintenance: maintenance,
            appliedIndex: { [store = recovered.store, group = environment.group] () throws(StorageError) in
                try store.appliedPosition(group)?.id.index ?? .zero
            }, report: report)
        let consensusProgress = ThreadProgress()
        // Not the clients' threads: their long reads must not keep a follower from its entries.
        let upkeep = BlockingPool(threads: 1, name: "roost-upkeep")
        let node = recovered.store.identity.node
        let comparisonReader = ComparisonReader(
            node: node, store: recovered.store, bytesPerSecond: environment.configuration.storage.compareRateBytes,
            metrics: metrics, failure: failure
        ) { report, lastKeys in
            if report.to == node {
                inbox.push(.compared(report, lastKeys: lastKeys))
            } else {
                transport.send([.comparisonReport(report)])
            }
        }
        let parts = Consensus.Parts(
            group: environment.group, node: node,
            incarnation: recovered.incarnation, inbox: inbox, logWriter: logWriter, applier: applier,
            comparisonReader: comparisonReader,
            transport: transport, book: book, space: environment.space, snapshots: snapshots, pool: upkeep,
            store: recovered.store, hasForgotten: recovered.hasForgotten,
            submissions: submissions, board: environment.board, alarms: environment.view.alarms, metrics: metrics,
            failure: failure,
            departure: environment.departure, progress: consensusProgress, logger: environment.logger)
        let limits = consensusLimits(environment.configuration, flushPolicy)
        let coreConfiguration = coreConfiguration(environment, node)
        let (restored, storage) = (recovered.restored, environment.configuration.storage)
        let relief = SpaceRelief(
            group: environment.group, store: recovered.store, board: environment.space, failure: failure,
            logger: environment.logger, stateFlushed: { maintenance.look() })
        let watch = spaceWatch(environment, recovered, relief, report)
        var threads = [
            WorkerThread(name: "roost-log") { logWriter.run() },
            WorkerThread(name: "roost-apply") { applier.run() },
            WorkerThread(name: "roost-flush") { maintenance.run() },
            WorkerThread(name: "roost-raft") {
                let core = RaftCore(
                    configuration: coreConfiguration, restored: restored, now: SystemClock.monotonic())
                inbox.run(
                    Consensus(
                        core: core, truncated: restored.truncated.index, parts: parts, limits: limits,
                        comparison: Consensus.comparison(node, parts.group, storage)))
            },
        ]
        let scrub = Scrub(
            store: recovered.store, group: environment.group,
            bytesPerSecond: environment.configuration.storage.scrubRateBytes,
            interval: environment.configuration.storage.scrubInterval, alarms: environment.view.alarms,
            metrics: metrics, failure: failure, logger: environment.logger)
        threads.append(WorkerThread(name: "roost-scrub") { scrub.run() })
        threads.append(WorkerThread(name: "roost-compare") { comparisonReader.run() })
        if let watch { threads.append(WorkerThread(name: "roost-space") { watch.run() }) }
        return Engine(
            reader: recovered.reader, environment: environment, store: recovered.store, transport: transport,
            maintenance: maintenance, logWriter: logWriter, applier: applier, consensusProgress: consensusProgress,
            upkeep: upkeep, snapshots: snapshots, watch: watch, relief: relief, scrub: scrub,
            comparisonReader: comparisonReader, threads: threads)
    }

    /// It has looked once when this returns: the core must know of a full disk before it does anything.
    private static func spaceWatch(
        _ environment: Environment, _ recovered: Recovery.Result, _ relief: SpaceRelief,
        _ report: @escaping @Sendable (ConsensusEvent) -> Void
    ) -> SpaceWatch? {
        guard let reading = recovered.space else { return nil }
        let watch = SpaceWatch(
            node: recovered.store.identity.node, configuration: environment.configuration, store: recovered.store,
            relief: relief, board: environment.space, metrics: environment.view.metrics, failure: environment.failure,
            logger: environment.logger, report: report)
        watch.take(reading, at: SystemClock.monotonic())
        return watch
    }

    private static func consensusLimits(
        _ configuration: NodeConfiguration, _ flushPolicy: FlushPolicy
    ) -> Consensus.Limits {
        Consensus.Limits(
            outbox: Outbox.Limits(
                parkTimeout: configuration.limits.parkTimeout, requestTimeout: configuration.limits.requestTimeout,
                resendInterval: configuration.limits.resendInterval,
                maxSentBytes: configuration.limits.maxUnsettledBytes),
            maxBlockBytes: configuration.limits.maxBatchBytes,
            maxUncommittedBytes: configuration.raft.maxUncommittedBytes,
            flushPolicy: flushPolicy, foundingGrace: configuration.raft.electionTimeout * 4,
            knockInterval: configuration.raft.electionTimeout, farewellTime: configuration.raft.electionTimeout * 10,
            adminTimeout: configuration.limits.requestTimeout,
            roomTransferInterval: configuration.raft.electionTimeout * 20)
    }

    private static func coreConfiguration(_ environment: Environment, _ node: NodeID) -> Configuration {
        let raft = environment.configuration.raft
        return Configuration(
            group: environment.group, node: node,
            electionTimeout: raft.electionTimeout, heartbeatInterval: raft.heartbeatInterval, preVote: raft.preVote,
            checkQuorum: raft.checkQuorum, maxAppendBytes: raft.maxAppendBytes,
            maxInflightMessages: raft.maxInflightMessages, maxInflightBytes: raft.maxInflightBytes,
            // The consensus thread keeps the limit itself, before it proposes (`Consensus.Limits`).
            maxUncommittedBytes: .max, maxUnappliedBytes: raft.maxUnappliedBytes, maxApplyBytes: raft.maxApplyBytes,
            entryCacheBytes: raft.entryCacheBytes, defersCommitNotices: true,
            leaseReads: raft.leaseReads, maxClockDriftPercent: raft.maxClockDriftPercent,
            diskStallLimit: raft.diskStallLimit, maxRetainedEntries: raft.maxRetainedEntries,
            maxRetainedBytes: raft.maxRetainedBytes, seed: UInt64.random(in: .min ... .max))
    }

    // MARK: - Run and stop

    /// For the watchdog: no thread is stuck in one operation, but for the sake of compactions that go on.
    var isProgressing: Bool {
        let now = SystemClock.monotonic()
        let limit = environment.configuration.limits.stallLimit
        let isStuck = [consensusProgress, logWriter.progress, applier.progress, maintenance.progress].contains {
            $0.busyFor(at: now) >= limit
        }
        return !isStuck || backlog.isWorkedOff(store.statistics())
    }

    /// Ends the threads in the order in which work flows; whoever still waits is answered. Reads still work.
    func stopThreads() async throws(NodeFailure) {
        await transport.stop()
        environment.inbox.push(.stop)
        try await Self.onThreadOfItsOwn("roost-stop") { [self] () throws(NodeFailure) in
            watch?.stop()
            scrub.stop()
            comparisonReader.stop()
            relief.stop()
            maintenance.stop()
            for thread in threads.dropFirst(3) { thread.join() }
            logWriter.push(.stop)
            applier.push(.stop)
            for thread in threads.prefix(3) { thread.join() }
        }
    }

    /// Closes the database. Nobody may read any more.
    func closeStore() async throws(NodeFailure) {
        try await Self.onThreadOfItsOwn("roost-close") { [self] () throws(NodeFailure) in
            environment.pool.stop()
            upkeep.stop()
            snapshots.stop()
            comparisonReader.discard()
            // A flush without room would end the process less cleanly than not closing at all.
            guard environment.space.mayFlush else { return store.abandon() }
            do throws(StorageError) {
                try store.close()
            } catch {
                throw NodeFailure(storage: error)
            }
        }
    }

    /// What comes of a failure: the process begins anew if the damage can be repaired from the other members.
    func arrangeRepair(after failure: NodeFailure) async -> NodeFailure {
        guard failure.damage != nil, let book = environment.view.book else { return failure }
        let helper = RepairFromPeers(environment.configuration)
        let arranged = try? await Self.onThreadOfItsOwn("roost-repair") { () throws(NodeFailure) in
            helper.arrange(failure, of: book.node, in: book.membership)
        }
        return arranged ?? failure
    }

    /// Blocking work must not take a thread of the cooperative pool.
    private static func onThreadOfItsOwn<R: Sendable>(
        _ name: String, _ body: @escaping @Sendable () throws(NodeFailure) -> R
    ) async throws(NodeFailure) -> R {
        let result = await withCheckedContinuation {
            (continuation: CheckedContinuation<Result<R, NodeFailure>, Never>) in
            let thread = WorkerThread(name: name) {
                do throws(NodeFailure) {
                    continuation.resume(returning: .success(try body()))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
            thread.detach()
        }
        return try result.get()
    }
}
