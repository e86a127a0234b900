import ByteCoding
import Foundation
import KeyValue
import Raft
import RaftStorage
import Synchronization

/// A node's storage without its network and its consensus, with the threads that the daemon has: the calling thread
/// encodes commands, makes an entry of them and writes it to the log, synced; another applies what is written; a third
/// flushes the state by the policy that ships. A write counts when it is durable and applied.
final class StoragePath {
    private static let group = GroupID(1)
    private static let node = NodeID(1)

    private let store: NodeStore
    private let applier: PathApplier
    private let upkeep: PathUpkeep
    private var last = EntryID(term: Term(1), index: .zero)
    private var sequence: UInt64 = 0
    private var written = 0

    init(in folder: String) throws {
        let configuration = StoreConfiguration(
            directory: folder + "/roost", node: Self.node, clusterName: "bench", founders: [Self.node])
        do throws(StorageError) {
            store = try NodeStore.open(configuration)
            let restored = try store.recover(Self.group, founders: Membership(voters: [Self.node]), replay: { _ in })
            guard restored.lastIndex == .zero else { throw StorageError(.invariant, "the folder is not empty") }
            try store.write([
                PersistBatch(
                    group: Self.group, ticket: PersistTicket(0), hardState: HardState(term: Term(1), vote: Self.node),
                    commit: .zero)
            ])
        } catch { throw BenchError("storage: \(error)") }
        upkeep = PathUpkeep(store, FlushPolicy(configuration), group: Self.group)
        applier = PathApplier(store, upkeep, group: Self.group, node: Self.node)
    }

    /// Makes one entry of so many commands, durably, and lets it be applied.
    func write(_ count: Int, _ material: inout Material) throws {
        var writer = SegmentWriter(reservingCapacity: 256 << 10)
        for _ in 0..<count { material.next { writer.set(key: $0, value: $1) } }
        sequence += 1
        let segment = writer.finish().sign(Origin(node: Self.node.rawValue, incarnation: 1, sequence: sequence))
        let id = EntryID(term: Term(1), index: last.index.next)
        let entry = Entry(
            group: Self.group, id: id, kind: .normal, payload: Block.encode(stamp: sequence, segments: [segment]))
        do throws(StorageError) {
            // What was durable before is committed: there is nobody else to ask.
            try store.write([
                PersistBatch(group: Self.group, ticket: PersistTicket(sequence), entries: [entry], commit: last.index)
            ])
            if let index = upkeep.takeCut() {
                _ = try store.truncateLog(Self.group, through: EntryID(term: Term(1), index: index))
                upkeep.noteCut()
            }
        } catch { throw BenchError("storage: \(error)") }
        last = id
        written += count
        try applier.push(entry)
    }

    /// Waits until all is applied.
    func drain() throws {
        let settled = try applier.drain()
        guard settled == written else { throw BenchError("storage: \(settled) of \(written) commands were settled") }
    }

    /// The same, and until everything is in tables and nothing is left to compact.
    func settle() throws {
        try drain()
        do throws(StorageError) {
            try store.flushState()
            while true {
                let statistics = store.statistics()
                // Some small file is always there that belongs to none of the large families.
                if statistics.pendingCompactionBytes == 0, statistics.unfinishedTableBytes < 1 << 20,
                    statistics.stateImmutableMemtables + statistics.logImmutableMemtables == 0
                {
                    return
                }
                pause(.milliseconds(20))
            }
        } catch { throw BenchError("storage: \(error)") }
    }

    func close() throws {
        applier.stop()
        upkeep.stop()
        do throws(StorageError) { try store.close() } catch { throw BenchError("storage: \(error)") }
    }

    /// RocksDB's account of itself.
    var report: String { store.engineReport() ?? "" }
}

/// Applies entries, page by page, as `RoostNode.Applier` does.
private final class PathApplier: Sendable {
    /// As there.
    private static let maxPageEntries = 1024
    private static let maxPageBytes = 1 << 20
    /// As `raft.max_unapplied_bytes`.
    private static let maxQueuedBytes = 256 << 20

    private struct Queue {
        var entries: [Entry] = []
        var bytes = 0
        /// Commands whose outcome is known.
        var settled = 0
        var isStopping = false
        var problem: String?
    }

    private let queue = Guarded(Queue())
    private let ended = DispatchSemaphore(value: 0)

    init(_ store: NodeStore, _ upkeep: PathUpkeep, group: GroupID, node: NodeID) {
        Thread.detachNewThread { [self] in
            do { try run(store, upkeep, group, node) } catch { queue.change { $0.problem = "\(error)" } }
            ended.signal()
        }
    }

    func push(_ entry: Entry) throws {
        let problem = queue.change(when: { $0.bytes < Self.maxQueuedBytes || $0.problem != nil }) { queue in
            queue.entries.append(entry)
            queue.bytes += entry.footprintBytes
            return queue.problem
        }
        if let problem { throw BenchError("apply: \(problem)") }
    }

    /// - Returns: commands settled so far.
    func drain() throws -> Int {
        let (settled, problem) = queue.change(when: { $0.bytes == 0 || $0.problem != nil }) { ($0.settled, $0.problem) }
        if let problem { throw BenchError("apply: \(problem)") }
        return settled
    }

    func stop() {
        queue.change { $0.isStopping = true }
        ended.wait()
    }

    private func run(_ store: NodeStore, _ upkeep: PathUpkeep, _ group: GroupID, _ node: NodeID) throws {
        let machine = KeyValueMachine(store: store.state, group: group.rawValue)
        let cluster = ClusterDirectory(founders: [node])
        while true {
            let entries = queue.change(when: { !$0.entries.isEmpty || $0.isStopping }) { queue in
                defer { queue.entries = [] }
                return queue.entries
            }
            if entries.isEmpty { return }
            var start = 0
            while start < entries.count {
                var (end, bytes) = (start, 0)
                while end < entries.count, end - start < Self.maxPageEntries, end == start || bytes < Self.maxPageBytes
                {
                    bytes += entries[end].footprintBytes
                    end += 1
                }
                let page = entries[start..<end]
                var units = page.map { ApplyUnit(position: Bytes(), index: $0.index.rawValue, payload: $0.payload) }
                let position = AppliedPosition(
                    id: entries[end - 1].id, membership: Membership(voters: [node]), directory: cluster)
                units[units.count - 1].position = position.encode()
                var settled = 0
                try machine.apply(units, settlingFor: node.rawValue, incarnation: 1) { settled += $1.count }
                upkeep.noteApplied(page.count, bytes, through: entries[end - 1].index)
                queue.change { queue in
                    queue.bytes -= bytes
                    queue.settled += settled
                }
                start = end
            }
        }
    }
}

/// Flushes the state and says how far the log may be cut, as `RoostNode.Maintenance` and the core do.
private final class PathUpkeep: Sendable {
    private struct State {
        var work: UnflushedWork
        var tail: LogTail
        var truncated = LogIndex.zero
        var cut: LogIndex?
        var wasCut = false
        var isStopping = false
    }

    private let state: Guarded<State>
    private let policy: FlushPolicy
    private let ended = DispatchSemaphore(value: 0)

    init(_ store: NodeStore, _ policy: FlushPolicy, group: GroupID) {
        self.policy = policy
        state = Guarded(State(work: UnflushedWork(policy), tail: LogTail(limit: policy.slackBytes)))
        Thread.detachNewThread { [self] in
            while look(store, group) {}
            ended.signal()
        }
    }

    func noteApplied(_ entries: Int, _ bytes: Int, through index: LogIndex) {
        let now = Self.now
        state.update { [policy] state in
            state.work.applied(through: index, entries: entries, bytes: bytes, now: now)
            state.tail.applied(through: index, bytes: bytes)
            return policy.reasonToFlush(state.work, now: now) != nil
        }
    }

    func takeCut() -> LogIndex? {
        var cut: LogIndex?
        state.update { state in
            swap(&cut, &state.cut)
            return false
        }
        return cut
    }

    func noteCut() { state.change { $0.wasCut = true } }

    func stop() {
        state.change { $0.isStopping = true }
        ended.wait()
    }

    /// - Returns: whether to go on.
    private func look(_ store: NodeStore, _ group: GroupID) -> Bool {
        let (isStopping, wasCut) = state.change(when: { [policy] in
            $0.isStopping || $0.wasCut || policy.reasonToFlush($0.work, now: Self.now) != nil
        }) { state in
            defer { state.wasCut = false }
            return (state.isStopping, state.wasCut)
        }
        if isStopping { return false }
        if wasCut { return (try? store.tidyLog()) != nil }
        guard (try? store.flushState()) != nil, let durable = try? store.durableApplied(group).index else {
            return false
        }
        state.change { state in
            state.work.durable(through: durable)
            let cut = policy.truncation(
                durableApplied: durable, lowestMatch: durable, truncated: state.truncated, tailStart: state.tail.start)
            guard let cut else { return }
            state.truncated = cut
            state.cut = cut
        }
        return true
    }

    private static var now: MonotonicTime { MonotonicTime(nanoseconds: DispatchTime.now().uptimeNanoseconds) }
}

/// A value that threads change, and wait for.
///
/// `@unchecked Sendable`: guarded by `condition`.
private final class Guarded<Value>: @unchecked Sendable {
    private let condition = NSCondition()
    private var value: Value

    init(_ value: Value) { self.value = value }

    @discardableResult
    func change<R>(when holds: (Value) -> Bool = { _ in true }, _ body: (inout Value) -> R) -> R {
        condition.lock()
        defer {
            condition.broadcast()
            condition.unlock()
        }
        while !holds(value) { condition.wait() }
        return body(&value)
    }

    /// Wakes those who wait only if `body` says that it is worth it.
    func update(_ body: (inout Value) -> Bool) {
        condition.lock()
        if body(&value) { condition.broadcast() }
        condition.unlock()
    }
}
