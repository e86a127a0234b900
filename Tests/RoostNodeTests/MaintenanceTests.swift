import ByteCoding
import Foundation
import KeyValue
import Raft
import Testing

@testable import RaftStorage
@testable import RoostNode

@Suite("Maintenance")
final class MaintenanceTests {
    private static let group = GroupID(1)
    private static let founders = Membership(voters: [NodeID(1)])
    private let directory = FileManager.default.temporaryDirectory.appending(path: "maintenance-\(UUID().uuidString)")
    private let store: NodeStore
    private let failure = FailureLatch()

    init() throws {
        var configuration = StoreConfiguration(
            directory: directory.path, node: NodeID(1), clusterName: "roost", founders: [NodeID(1)])
        configuration.stateWriteBufferBytes = 1 << 20
        configuration.logWriteBufferBytes = 1 << 20
        configuration.blockCacheBytes = 1 << 20
        configuration.compactsByItself = false
        store = try NodeStore.open(configuration)
        _ = try store.recover(Self.group, founders: Self.founders) { (_) throws(StorageError) in }
    }

    deinit {
        store.abandon()
        try? FileManager.default.removeItem(at: directory)
    }

    private func maintenance(flushPatience: Duration = Maintenance.flushPatience) -> Maintenance {
        let policy = FlushPolicy(StoreConfiguration(directory: "", origin: .existing))
        return Maintenance(
            group: Self.group, store: store, policy: policy, space: SpaceBoard(), metrics: NodeMetrics(),
            failure: failure, flushPatience: flushPatience, report: { _ in })
    }

    /// A table with all of the same thousand keys.
    private func writeTable(_ index: UInt64) throws {
        let batch = store.state.makeBatch()
        func put(_ key: Bytes, _ value: Bytes) {
            key.withUnsafeBytes { key in
                value.withUnsafeBytes {
                    batch.put(key, header: UnsafeRawBufferPointer(start: nil, count: 0), value: $0)
                }
            }
        }
        for number in 0..<1_000 as Range<UInt64> {
            var key = ByteWriter()
            key.appendBigEndian(Self.group.rawValue)
            key.append(0x10 as UInt8)
            key.appendBigEndian(number)
            put(key.take(), Bytes((0..<100).map { UInt8(truncatingIfNeeded: number &* 31 &+ index &+ $0) }))
        }
        let position = AppliedPosition(
            id: EntryID(term: Term(1), index: LogIndex(index)), membership: Self.founders,
            directory: ClusterDirectory(founders: Self.founders.voters))
        put(
            AppliedRecord.key(group: Self.group.rawValue),
            AppliedRecord(position: position.encode()).encode(group: Self.group.rawValue))
        try store.state.commit(batch)
        try store.flushState()
    }

    /// Turns a bit over in the middle of every table: behind the block that `durableApplied` reads.
    private func damageTables() throws {
        let folder = directory.appending(path: "db")
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) where name.hasSuffix(".sst") {
            let file = try FileHandle(forUpdating: folder.appending(path: name))
            let middle = try file.seekToEnd() / 2
            try file.seek(toOffset: middle)
            let byte = try #require(try file.read(upToCount: 1)?.first)
            try file.seek(toOffset: middle)
            try file.write(contentsOf: Data([byte ^ 1]))
            try file.close()
        }
    }

    /// What has ended the node within some looks; nil: nothing.
    private func run(_ maintenance: Maintenance) async -> NodeFailure? {
        let thread = WorkerThread(name: "test-flush") { maintenance.run() }
        let end = SystemClock.monotonic().advanced(by: .seconds(20))
        while !failure.isSet, SystemClock.monotonic() < end { try? await Task.sleep(for: .milliseconds(20)) }
        maintenance.stop()
        thread.join()
        return failure.isSet ? await failure.wait() : nil
    }

    @Test
    func `what a compaction finds ends the node, although nobody writes`() async throws {
        try writeTable(1)
        try writeTable(2)
        try damageTables()
        store.compactState()
        #expect(store.backgroundErrors > 0)
        let maintenance = maintenance()
        let failure = try #require(await run(maintenance))
        #expect(failure.code == .corruption)
        #expect(failure.damage == .state)
    }

    @Test
    func `a flush that leaves something behind ends the node`() async throws {
        try writeTable(1)
        let maintenance = maintenance(flushPatience: .milliseconds(100))
        // Nothing of it is in the state: no flush makes it durable.
        maintenance.noteApplied(entries: 1 << 30, bytes: 1, through: LogIndex(2))
        let failure = try #require(await run(maintenance))
        #expect(failure.code == .inputOutput)
        #expect(failure.cause.contains("durable only up to entry 1"))
    }

    /// RocksDB shows what a flush has written a moment after it says that it is written.
    @Test
    func `a flush that is seen a little later is none that left something behind`() async throws {
        try writeTable(1)
        let maintenance = maintenance()
        maintenance.noteApplied(entries: 1 << 30, bytes: 1, through: LogIndex(2))
        let thread = WorkerThread(name: "test-flush") { maintenance.run() }
        // At least one flush has ended meanwhile, without it.
        try await Task.sleep(for: .milliseconds(1_500))
        try writeTable(2)
        try await Task.sleep(for: .milliseconds(1_500))
        maintenance.stop()
        thread.join()
        #expect(!failure.isSet)
    }
}
