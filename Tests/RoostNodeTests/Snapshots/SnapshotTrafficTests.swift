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
    private let space = SpaceBoard()
    private let traffic: SnapshotTraffic

    init() throws {
        store = try .inMemory(Self.group, founders: Membership(voters: [NodeID(1)]))
        traffic = SnapshotTraffic(
            group: Self.group, store: store, space: space, board: StatusBoard(), failure: failure,
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
        let isDone = Atomic(false)
        traffic.run { isDone.store(true, ordering: .releasing) }
        while !isDone.load(ordering: .acquiring), !failure.isSet { try? await Task.sleep(for: .milliseconds(1)) }
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

    // MARK: - An end of a transfer

    @Test func `an offer that is refused has the file read again by nobody, a refusal after bytes has`() async throws {
        // The file is no snapshot: who reads it finds out.
        let source = traffic.source(try makeSnapshot(at: 5))
        traffic.ended(.refused("node 2 has no room for it"), of: source)
        await waitForDisk()
        #expect(try kept() == ["1-5-1.snap"])

        _ = try source.read(offset: 0, count: 3)
        traffic.ended(.failed("no progress"), of: source)
        await waitForDisk()
        #expect(try kept() == ["1-5-1.snap"])
        traffic.ended(.refused("wrong checksum"), of: source)
        await waitForDisk()
        #expect(try kept() == [])
        #expect(!failure.isSet)
        traffic.stop()
    }

    @Test func `a node that stops ends what reads whole snapshots, and that is no failure`() async throws {
        try traffic.checkGoesOn()
        traffic.run { () throws(StorageError) in
            throw StorageError(.cancelled, "not wanted")
        }
        await waitForDisk()
        #expect(!failure.isSet)
        traffic.stop()
        let error = #expect(throws: StorageError.self) { try traffic.checkGoesOn() }
        #expect(error?.kind == .cancelled)
    }

    // MARK: - Offers on a tight disk

    private static let fileBytes: UInt64 = 100 << 10
    /// What `see` counts as critical.
    private static let critical: UInt64 = 4 << 10

    private func offer(at index: UInt64) -> SnapshotOffer {
        let meta = SnapshotMeta(
            id: EntryID(term: Term(1), index: LogIndex(index)), membership: Membership(voters: [NodeID(1)]))
        let header = SnapshotHeader(group: Self.group, clusterID: store.identity.clusterID, meta: meta)
        let description = SnapshotDescription(header, totalBytes: Self.fileBytes, hash: index)
        return SnapshotOffer(
            group: Self.group, from: NodeID(2), term: Term(1), metadata: description.encode(),
            totalBytes: Self.fileBytes)
    }

    private struct Answer: Sendable {
        var sink: (any SnapshotSink)?
        var offset: UInt64?
        var refusal: String?
    }

    private func ask(_ offer: SnapshotOffer) async -> Answer {
        await withCheckedContinuation { continuation in
            traffic.receive(offer) { answer in
                switch answer {
                case .accept(let sink, let offset): continuation.resume(returning: Answer(sink: sink, offset: offset))
                case .alreadyHeld: continuation.resume(returning: Answer())
                case .refuse(let sentence): continuation.resume(returning: Answer(refusal: sentence))
                }
            }
        }
    }

    private func append(_ count: Int, to sink: any SnapshotSink) async -> SnapshotSinkResult {
        await withCheckedContinuation { continuation in
            sink.append(Bytes([UInt8](repeating: 1, count: count)), at: 0) { continuation.resume(returning: $0) }
        }
    }

    private func parts() throws -> [String] { try store.shelf.files.names(in: "incoming") }

    @Test func `a broken transfer goes on where there is room for the rest`() async throws {
        space.see(room: Self.critical + 2 * Self.fileBytes)
        let sink = try #require(await ask(offer(at: 5)).sink)
        #expect(await append(60 << 10, to: sink) == .done)
        sink.interrupted("the connection broke")
        // The disk has lost what came.
        space.see(room: Self.critical + 2 * Self.fileBytes - 60 << 10)
        #expect(await ask(offer(at: 5)).offset == 60 << 10)
        // One byte less is too little.
        space.see(room: Self.critical + 2 * Self.fileBytes - 60 << 10 - 1)
        #expect(await ask(offer(at: 5)).refusal == "node 1 has no room for it")
        #expect(try parts().count == 1)
        #expect(!failure.isSet)
        traffic.stop()
    }

    @Test func `what came of another snapshot goes before the room is judged`() async throws {
        space.see(room: Self.critical + 2 * Self.fileBytes)
        let old = try #require(await ask(offer(at: 5)).sink)
        #expect(await append(60 << 10, to: old) == .done)
        old.interrupted("the connection broke")
        space.see(room: Self.critical + 2 * Self.fileBytes - 60 << 10)
        #expect(await ask(offer(at: 6)).refusal != nil)
        #expect(try parts() == [])
        // The look that sees it gone.
        space.see(room: Self.critical + 2 * Self.fileBytes)
        #expect(await ask(offer(at: 6)).offset == 0)
        #expect(!failure.isSet)
        traffic.stop()
    }

    @Test func `an offer of more than any disk holds is refused`() async throws {
        space.see(room: 1 << 40)
        var offer = self.offer(at: 5)
        let meta = try SnapshotDescription(decoding: offer.metadata).meta
        let header = SnapshotHeader(group: Self.group, clusterID: store.identity.clusterID, meta: meta)
        offer.totalBytes = 1 << 63
        offer.metadata = SnapshotDescription(header, totalBytes: 1 << 63, hash: 1).encode()
        #expect(await ask(offer).refusal != nil)
        traffic.stop()
    }
}
