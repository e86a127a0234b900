import KeyValue
import Logging
import PeerTransport
import Raft
import RaftStorage
import RedisServer

/// Opens the data directory and brings the state up to what the log is known to have committed.
enum Recovery {
    struct Result: Sendable {
        var store: NodeStore
        var storeConfiguration: StoreConfiguration
        var machine: StateMachine
        var reader: any KeyValueReading
        var restored: RestoredState
        /// The node was repaired, and has not caught up with a leader since.
        var hasForgotten: Bool
        /// Of this process.
        var incarnation: UInt64
        /// What was applied again, and is not durable in the state yet.
        var replayed: Replayed
        /// Nil for a node that keeps nothing on a disk.
        var space: SpaceReading?
        /// How often this node has repaired itself.
        var repairs: RepairHistory
    }

    struct Replayed: Sendable {
        var entries = 0
        var bytes = 0
    }

    static func run(_ environment: Engine.Environment, as origin: NodeOrigin) throws(NodeFailure) -> Result {
        let helper = RepairFromPeers(environment.configuration)
        let configuration: StoreConfiguration
        do throws(StorageError) { configuration = try storeConfiguration(environment.configuration, origin) } catch {
            throw NodeFailure(storage: error)
        }
        try helper.carryOut(environment.logger, minFreeBytes: configuration.minFreeBytesAtStart) {
            announce($0, environment)
        }
        do throws(StorageError) {
            let store = try NodeStore.open(configuration) { announce($0, environment) }
            return try open(store, configuration, environment)
        } catch {
            throw helper.arrange(NodeFailure(storage: error))
        }
    }

    private static func open(
        _ store: NodeStore, _ configuration: StoreConfiguration, _ environment: Engine.Environment
    ) throws(StorageError) -> Result {
        let incarnation = UInt64.random(in: 1 ... .max)
        let founders = store.identity.founders
        let position = try store.appliedPosition(environment.group)
        let (machine, reader) = join(
            store.state, environment.group, store.identity.node, incarnation,
            ClusterPosition(
                membership: position?.membership ?? Membership(voters: founders),
                directory: position?.directory ?? ClusterDirectory(founders: founders)),
            maxReplyBytes: environment.configuration.limits.maxOutputBufferBytes)
        var replayed = Replayed()
        let restored = try store.recover(
            environment.group, founders: Membership(voters: founders), progress: { announce($0, environment) }
        ) { (entries) throws(StorageError) in
            replayed.entries += entries.count
            replayed.bytes += entries.reduce(0) { $0 + $1.footprintBytes }
            do throws(NodeFailure) {
                _ = try machine.apply(entries) { _, _ in }
            } catch {
                let kind: StorageError.Kind =
                    switch error.code {
                    case .corruption: .corruption
                    case .foreignData: .newerFormat
                    case .inputOutput: .io
                    default: .other
                    }
                var failure = StorageError(kind, error.cause, remedy: error.remedy)
                failure.damaged = error.damage
                throw failure
            }
        }
        let hasForgotten = try store.hasForgotten()
        // A state that was given up knows of the founders only.
        if restored.applied > .zero || !hasForgotten { try store.noteMembership(restored.membership) }
        return Result(
            store: store, storeConfiguration: configuration, machine: machine, reader: reader, restored: restored,
            hasForgotten: hasForgotten, incarnation: incarnation, replayed: replayed,
            space: try space(of: store, configuration),
            repairs: RepairFromPeers(environment.configuration).history)
    }

    private static func space(
        of store: NodeStore, _ configuration: StoreConfiguration
    ) throws(StorageError) -> SpaceReading? {
        guard configuration.engine == .rocksdb else { return nil }
        return SpaceReading(try FileSystemSpace(of: configuration.directory), store.statistics())
    }

    /// Only work that gets on asks the service manager for more time.
    private static func announce(_ step: String, _ environment: Engine.Environment) {
        environment.notifier.extendTimeout(by: .seconds(30), status: step)
        environment.logger.info("recovering", metadata: ["recovery.step": "\(step)"])
    }

    private static func join(
        _ state: NodeState, _ group: GroupID, _ node: NodeID, _ incarnation: UInt64, _ cluster: ClusterPosition,
        maxReplyBytes: Int
    ) -> (StateMachine, any KeyValueReading) {
        let machine = StateMachine(
            store: state, group: group, node: node, incarnation: incarnation, cluster: cluster)
        return (machine, GroupReader(state: state, group: group, maxReplyBytes: maxReplyBytes))
    }

    private static func identified(_ node: NodeConfiguration.Node, _ origin: NodeOrigin) -> StoreConfiguration {
        switch origin {
        case .founder:
            let founders = node.peers.isEmpty ? [node.id] : node.peers.keys.sorted()
            return StoreConfiguration(
                directory: node.dataDir, node: NodeID(node.id), clusterName: node.clusterName,
                founders: founders.map { NodeID($0) })
        case .existing: return StoreConfiguration(directory: node.dataDir, origin: .existing)
        case .joined(let acceptance, let incarnation):
            let identity = StoreConfiguration.JoinedIdentity(
                node: acceptance.node, clusterID: acceptance.clusterID, clusterName: acceptance.clusterName,
                founders: acceptance.founders, incarnation: incarnation)
            return StoreConfiguration(directory: node.dataDir, origin: .joined(identity))
        }
    }

    private static func storeConfiguration(
        _ configuration: NodeConfiguration, _ origin: NodeOrigin
    ) throws(StorageError) -> StoreConfiguration {
        let storage = configuration.storage
        var store = identified(configuration.node, origin)
        store.engine = storage.engine == .memory ? .memory : .rocksdb
        store.stateWriteBufferBytes = storage.stateWriteBufferBytes
        store.stateWriteBuffers = storage.stateWriteBuffers
        store.logWriteBufferBytes = storage.logWriteBufferBytes
        store.logWriteBuffers = storage.logWriteBuffers
        store.blockCacheBytes = storage.blockCacheBytes
        store.maxTotalWalBytes = storage.maxTotalWalBytes
        store.backgroundJobs = storage.backgroundJobs
        store.maxUnflushedLogBytes = storage.maxUnflushedLogBytes
        store.maxUnflushedEntries = storage.maxUnflushedEntries
        store.maxUnflushedAge = storage.maxUnflushedAge
        store.minAgedBytes = storage.minAgedBytes
        store.truncationSlackEntries = storage.truncationSlackEntries
        store.truncationSlackBytes = storage.truncationSlackBytes
        guard store.engine == .rocksdb else { return store }
        let capacity = try FileSystemSpace(of: store.directory).capacityBytes
        let limits = SpaceLimits(storage, capacityBytes: capacity)
        store.minFreeBytesAtStart = limits.criticalFree
        store.compactsByItself = false
        store.maxUnflushedLogBytes = limits.maxUnflushedLogBytes(atMost: storage.maxUnflushedLogBytes)
        return store
    }
}
