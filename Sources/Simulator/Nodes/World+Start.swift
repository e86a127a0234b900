import ByteCoding
import KeyValue
import Raft
import RaftStorage

extension World {
    /// Opens the disk, recovers by the real store's rules and starts the core.
    func start(_ place: Int) {
        let node = nodes[place]
        guard node.condition == .down else { return }
        do throws(StorageError) {
            try open(node)
        } catch {
            refuse(node, error)
        }
    }

    private func open(_ node: SimulatedNode) throws(StorageError) {
        let files = SimulatedFiles(disk: node.disk)
        let store = try openStore(of: node, files)
        let machine = KeyValueMachine(store: store.state, group: group.rawValue)
        var position = try store.appliedPosition(group) ?? basePosition
        var replayed: [Entry] = []
        let restored = try store.recover(group, founders: founders) { (entries) throws(StorageError) in
            marks.reach(.replayedAtStart)
            replayed += entries
            let units = self.units(of: entries, &position, on: node.place)
            do throws(ApplyError) {
                try machine.apply(units, settlingFor: 0, incarnation: 0) { _, _ in }
            } catch {
                if case .store(let error) = error { throw StorageError(stateError: error) }
                throw StorageError(.corruption, "\(error)")
            }
        }
        if let applied = try store.appliedPosition(group) { position = applied }
        judge.started(node.place, restored)
        // Some of them a sole voter may have committed in the very turn in which it crashed: nobody has applied them before.
        judge.applies(replayed, on: node.place)
        if let tree = node.disk.visible.newestState {
            judge.compareState(tree, at: restored.applied, on: node.place, surely: true)
        }
        say { () -> String in
            let log = "log \(restored.truncated.index)...\(restored.lastIndex) applied \(restored.applied)"
            return "n\(node.id) starts: term \(restored.hardState.term) \(log)"
        }
        let core = RaftCore(
            configuration: configuration(of: node.id, life: node.life + 1), restored: restored,
            now: node.clock.time(at: now))
        node.begin { life in
            NodeProcess(
                node: node, world: self, life: life, core: core, store: store, files: files, machine: machine,
                position: position)
        }
        node.process?.begin()
    }

    private func openStore(of node: SimulatedNode, _ files: SimulatedFiles) throws(StorageError) -> NodeStore {
        let configuration = StoreConfiguration(
            directory: "", node: node.id, clusterName: Self.clusterName, founders: founders.voters)
        let identity = Identity(
            node: node.id, clusterName: Self.clusterName, founders: founders.voters,
            incarnation: node.incarnation, isNew: node.isNew)
        let store = try NodeStore.open(configuration, identity: identity, engine: node.disk, files: files)
        node.isNew = false
        node.isSuspect = try store.isSuspect()
        return store
    }

    private static let clusterName = "simulated"

    /// Before anything was applied.
    var basePosition: AppliedPosition {
        AppliedPosition(id: .zero, membership: founders, directory: ClusterDirectory(founders: founders.voters))
    }

    /// A node that can't start stays down. That is right for damage, and for nothing else.
    private func refuse(_ node: SimulatedNode, _ error: StorageError) {
        if error.kind == .noSpace, node.disk.isFull {
            marks.reach(.stoppedWithoutSpace)
            return plan(.restart(node: Int32(node.place), life: node.life), after: options.faultDuration)
        }
        guard node.isDamaged, error.kind == .corruption else {
            return judge.report(Violation(.integrity, "node \(node.id) does not start: \(error)"))
        }
        marks.reach(.corruptionFound)
        say { "n\(node.id) stays down: \(error)" }
        node.end(as: .gone)
    }

    private func configuration(of node: NodeID, life: UInt32) -> Configuration {
        let core = options.core
        return Configuration(
            group: group, node: node, electionTimeout: .nanoseconds(Int64(core.electionTimeout)),
            heartbeatInterval: .nanoseconds(Int64(core.heartbeatInterval)), preVote: core.preVote,
            checkQuorum: core.checkQuorum, maxAppendBytes: core.maxAppendBytes,
            maxInflightMessages: core.maxInflightMessages, maxInflightBytes: core.maxInflightBytes,
            maxUncommittedBytes: core.maxUncommittedBytes, maxUnappliedBytes: core.maxUnappliedBytes,
            maxApplyBytes: core.maxApplyBytes, entryCacheBytes: core.entryCacheBytes,
            defersCommitNotices: core.defersCommitNotices, leaseReads: core.leaseReads,
            diskStallLimit: .nanoseconds(Int64(core.diskStallLimit)), maxRetainedEntries: core.maxRetainedEntries,
            seed: coreSeed ^ UInt64(life) << 32)
    }
}
