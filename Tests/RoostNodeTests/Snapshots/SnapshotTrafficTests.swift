import ByteCoding
import Logging
import PeerTransport
import Raft
import Synchronization
import Testing

@testable import RaftStorage
@testable import RoostNode

@Suite("Snapshots on their way")
struct SnapshotTrafficTests {
    private static let group = GroupID(1)
    private let store: NodeStore
    private let failure = FailureLatch()
    private let traffic: SnapshotTraffic

    init() throws {
        var configuration = StoreConfiguration(
            directory: "", node: NodeID(1), clusterName: "roost", founders: [NodeID(1)])
        configuration.engine = .memory
        store = try NodeStore.open(configuration)
        traffic = SnapshotTraffic(
            group: Self.group, store: store, space: SpaceBoard(), failure: failure,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, copyPatience: nil, report: { _ in })
    }

    /// A finished snapshot of the store.
    private func makeSnapshot(at index: UInt64) throws -> SnapshotReader {
        let membership = Membership(voters: [NodeID(1)])
        let id = EntryID(term: Term(1), index: LogIndex(index))
        let header = SnapshotHeader(
            group: Self.group, clusterID: store.identity.clusterID, meta: SnapshotMeta(id: id, membership: membership))
        return try store.shelf.reuse(Self.group, notBefore: LogIndex(index)) { (file) throws(StorageError) in
            try file.append("0123456789")
            return SnapshotDescription(header, totalBytes: 10, hash: 1)
        }
    }

    /// Returns when everything that was to be done before is done.
    private func waitForDisk() async {
        await withCheckedContinuation { continuation in traffic.run { continuation.resume() } }
    }

    private func kept() throws -> [String] { try store.shelf.files.names(in: "snapshots") }

    /// The same description with a file that answers every read with that error.
    private func broken(_ reader: SnapshotReader, by error: StorageError) -> SnapshotReader {
        struct BrokenFile: SnapshotFile {
            let error: StorageError
            func byteCount() throws(StorageError) -> UInt64 { throw error }
            func read(at offset: UInt64, count: Int) throws(StorageError) -> Bytes { throw error }
            func append(_ bytes: Bytes) throws(StorageError) { throw error }
            func sync() throws(StorageError) { throw error }
        }
        return SnapshotReader(BrokenFile(error: error), reader.description)
    }

    @Test func `a file that ends too early ends the transfer, and is never sent again`() async throws {
        let reader = try makeSnapshot(at: 5)
        let source = traffic.source(reader)
        #expect(try source.read(offset: 2, count: 3) == "234")
        #expect(throws: SnapshotSourceError.self) { try source.read(offset: 8, count: 3) }
        await waitForDisk()
        #expect(try kept() == [])
        #expect(!failure.isSet)
        traffic.stop()
    }

    @Test func `a newer snapshot is not dropped for the fault of an older one`() async throws {
        let source = traffic.source(try makeSnapshot(at: 5))
        _ = try makeSnapshot(at: 6)
        #expect(throws: SnapshotSourceError.self) { try source.read(offset: 8, count: 3) }
        await waitForDisk()
        #expect(try kept() == ["1-6-1.snap"])
        traffic.stop()
    }

    @Test func `a disk that can't read the file ends the node`() async throws {
        let source = traffic.source(broken(try makeSnapshot(at: 5), by: StorageError(.io, "read: broken")))
        #expect(throws: SnapshotSourceError.self) { try source.read(offset: 0, count: 3) }
        #expect(failure.isSet)
        #expect(await failure.wait().code == .inputOutput)
        traffic.stop()
    }
}
