import ByteCoding
import Foundation
import KeyValue
import Raft
import RocksDB
import Synchronization

@testable import RaftStorage

/// A data directory of one node, which vanishes with the object, and small buffers so that opening is cheap.
final class TestNode: Sendable {
    let root: String
    var directory: String { root + "/data" }
    private let isOwner: Bool
    /// They live as long as the original: a store must not lose its directory before it is closed.
    private let copies = Mutex<[TestNode]>([])

    /// In memory where there is room, since nothing here needs a real disk and a busy one makes hundreds of syncs slow.
    private static let parent: URL = {
        let memory = "/dev/shm"
        let free = try? FileManager.default.attributesOfFileSystem(forPath: memory)[.systemFreeSize] as? Int
        let hasRoom = (free ?? 0) > 1 << 30 && FileManager.default.isWritableFile(atPath: memory)
        return hasRoom ? URL(filePath: memory) : FileManager.default.temporaryDirectory
    }()

    init() throws {
        let url = Self.parent.appending(path: "raft-storage-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
        root = url.path
        isOwner = true
    }

    /// The directory of another object, in another process.
    init(existing root: String) {
        self.root = root
        isOwner = false
    }

    deinit { if isOwner { try? FileManager.default.removeItem(atPath: root) } }

    func configuration(_ change: (inout StoreConfiguration) -> Void = { _ in }) -> StoreConfiguration {
        var configuration = StoreConfiguration(
            directory: directory, node: NodeID(2), clusterName: "roost", founders: [NodeID(1), NodeID(2), NodeID(3)])
        configuration.stateWriteBufferBytes = 1 << 20
        configuration.logWriteBufferBytes = 1 << 20
        configuration.blockCacheBytes = 1 << 20
        change(&configuration)
        return configuration
    }

    func open(_ change: (inout StoreConfiguration) -> Void = { _ in }) throws(StorageError) -> NodeStore {
        try NodeStore.open(configuration(change))
    }

    /// The data directory as a killed process would leave it at this moment, while `store` goes on.
    func crashCopy(_ store: NodeStore) throws -> TestNode {
        let database = store.rocks.database
        try database.disableFileDeletions()
        defer { try? database.enableFileDeletions() }
        return try copy()
    }

    /// The data directory as it is, of a process that has ended or changes nothing.
    ///
    /// RocksDB's background threads may be at work in the original. What the MANIFEST names exists as long as nothing
    /// is deleted, so it is copied first; what vanishes later was obsolete before.
    func copy() throws -> TestNode {
        let copy = try TestNode()
        copies.withLock { $0.append(copy) }
        let files = FileManager.default
        try files.createDirectory(atPath: copy.path("db"), withIntermediateDirectories: true)
        for name in try files.contentsOfDirectory(atPath: directory) where name != "db" {
            try files.copyItem(atPath: path(name), toPath: copy.path(name))
        }
        func copyFiles(_ isWanted: (String) -> Bool) throws {
            for name in try files.contentsOfDirectory(atPath: path("db")) where isWanted(name) {
                do { try files.copyItem(atPath: path("db/" + name), toPath: copy.path("db/" + name)) } catch {
                    if files.fileExists(atPath: path("db/" + name)) { throw error }
                }
            }
        }
        let isFirst = { (name: String) in name == "CURRENT" || name.hasPrefix("MANIFEST") }
        try copyFiles(isFirst)
        try copyFiles { !isFirst($0) }
        // It stands for the directory itself, as it was at this moment.
        let directory = DataDirectory(path: copy.directory)
        if let identity = try? directory.existingIdentity() { try directory.write(identity) }
        return copy
    }

    func path(_ name: String) -> String { directory + "/" + name }
    /// Makes an empty file.
    func put(_ name: String) throws { try Data().write(to: URL(filePath: path(name))) }
    func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: path(name)) }

    /// Changes the bytes of a file of the directory.
    func edit(_ name: String, _ change: (inout Data) -> Void) throws {
        var bytes = try Data(contentsOf: URL(filePath: path(name)))
        change(&bytes)
        try bytes.write(to: URL(filePath: path(name)))
    }
}

let group = GroupID(1)
let founders = Membership(voters: [NodeID(1), NodeID(2), NodeID(3)])
let emptyDirectory = ClusterDirectory(founders: founders.voters)

/// An entry whose payload tells its index.
func entry(_ index: UInt64, term: UInt64 = 1, in group: GroupID = group) -> Entry {
    Entry(
        group: group, id: EntryID(term: Term(term), index: LogIndex(index)), kind: .normal,
        payload: Bytes("entry \(index)"))
}

func entries(_ indexes: ClosedRange<UInt64>, term: UInt64 = 1) -> [Entry] { indexes.map { entry($0, term: term) } }

func batch(
    _ entries: [Entry] = [], commit: UInt64 = 0, term: UInt64? = nil, vote: NodeID? = nil, truncateFrom: UInt64? = nil,
    in group: GroupID = group
) -> PersistBatch {
    PersistBatch(
        group: group, ticket: PersistTicket(1), hardState: term.map { HardState(term: Term($0), vote: vote) },
        truncateFrom: truncateFrom.map { LogIndex($0) }, entries: entries, commit: LogIndex(commit))
}

extension NodeStore {
    /// Applies entries as a state machine would: each payload under a key of its own, and the applied record with them.
    func apply(_ entries: [Entry], in group: GroupID = group) throws(StorageError) {
        guard let last = entries.last else { return }
        let batch = state.makeBatch()
        for entry in entries { batch.put(stateKey(entry.index, in: group), entry.payload) }
        let position = AppliedPosition(id: last.id, membership: founders, directory: emptyDirectory)
        batch.put(
            AppliedRecord.key(group: group.rawValue),
            AppliedRecord(position: position.encode()).encode(group: group.rawValue))
        do { try state.commit(batch) } catch { throw StorageError(error, while: "apply") }
    }

    /// Recovers with that state machine and tells which entries were replayed.
    func recoverApplying(_ group: GroupID = group) throws(StorageError) -> (state: RestoredState, replayed: [UInt64]) {
        var replayed: [UInt64] = []
        let restored = try recover(group, founders: founders) { (entries) throws(StorageError) in
            replayed += entries.map(\.index.rawValue)
            try self.apply(entries, in: group)
        }
        return (restored, replayed)
    }

    /// What the state holds for the entries `1 ... last`, in order.
    func appliedPayloads(through last: UInt64, in group: GroupID = group) throws -> [String?] {
        try (1...last).map { index in
            try stateKey(LogIndex(index), in: group).withUnsafeBytes { key in
                try state.read(key, tier: .all) { $0.map { Bytes(copying: $0).text } }
            }
        }
    }

    func allEntries(from: UInt64, through: UInt64, maxBytes: Int = .max) throws(StorageError) -> [UInt64] {
        try entries(
            FetchRequest(
                group: group, follower: NodeID(3), from: LogIndex(from), through: LogIndex(through), maxBytes: maxBytes)
        ).map(\.index.rawValue)
    }
}

func stateKey(_ index: LogIndex, in group: GroupID = group) -> Bytes {
    var writer = ByteWriter()
    writer.appendBigEndian(group.rawValue)
    writer.append(0x10 as UInt8)
    writer.appendBigEndian(index.rawValue)
    return writer.take()
}

extension NodeStateBatch {
    func put(_ key: Bytes, _ value: Bytes) {
        key.withUnsafeBytes { key in
            value.withUnsafeBytes { put(key, header: UnsafeRawBufferPointer(start: nil, count: 0), value: $0) }
        }
    }
}

extension Bytes {
    var hex: String { array.map(\.hex).joined() }

    init(hex: String) {
        let digits = Array(hex)
        self.init(stride(from: 0, to: digits.count, by: 2).map { UInt8(String(digits[$0...$0 + 1]), radix: 16)! })
    }

    /// The same bytes with one bit of one byte turned over.
    func flipped(at offset: Int, bit: Int = 0) -> Bytes {
        var bytes = array
        bytes[offset] ^= 1 << bit
        return Bytes(bytes)
    }
}

extension NodeStore {
    /// Cuts at an entry whose term the test does not care for.
    ///
    /// - Returns: the entry's id; nil if it was cut before.
    func truncateLog(_ group: GroupID, through index: LogIndex) throws -> EntryID? {
        let request = FetchRequest(group: group, follower: NodeID(3), from: index, through: index, maxBytes: .max)
        let term = try entries(request).first?.term
        let id = EntryID(term: term ?? Term(1), index: index)
        return try truncateLog(group, through: id) ? id : nil
    }
}
