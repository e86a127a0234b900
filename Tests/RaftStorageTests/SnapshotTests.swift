import ByteCoding
import Foundation
import KeyValue
import Raft
import Testing

@testable import RaftStorage

/// Making, sending, receiving: the same for both engines.
@Suite("Snapshots")
struct SnapshotTests {
    let node: TestNode

    init() throws { node = try TestNode() }

    private func store(_ engine: StoreConfiguration.Engine = .rocksdb) throws -> NodeStore {
        let store = try node.open { $0.engine = engine }
        _ = try store.recoverApplying()
        return store
    }

    // MARK: Making

    @Test(arguments: LogTests.engines) func `a snapshot says what it holds, and holds it`(
        engine: StoreConfiguration.Engine
    ) throws {
        let store = try store(engine)
        try store.fill(1...40, term: 3)
        try store.write([batch(entries(41...45, term: 3), commit: 40)])
        let reader = try store.makeSnapshot(group)
        #expect(reader.meta.id == EntryID(term: Term(3), index: LogIndex(40)))
        #expect(reader.meta.membership == founders)
        #expect(reader.description.clusterID == store.identity.clusterID)

        let snapshot = try SnapshotBytes(reader)
        #expect(snapshot.description == reader.description)
        let file = try MemoryFiles().create("incoming/x")
        try file.append(snapshot.bytes)
        var values: [String] = []
        var decoder = try SnapshotDecoder(file, snapshot.description)
        try decoder.read { (_, value) throws(StorageError) in values.append(Bytes(copying: value).text) }
        #expect(Array(values.dropFirst()) == payloads(40))
    }

    @Test func `a snapshot is of one moment, whatever is applied while it is made`() throws {
        let store = try store()
        try store.fill(1...2000, term: 1, payloadBytes: 1000)
        var taken: [UInt64] = []
        let description = try store.shelf.reuse(group, notBefore: LogIndex(1)) { (file) throws(StorageError) in
            var encoder: SnapshotEncoder?
            try store.records.scanState(of: group) { (key, value) throws(StorageError) in
                if encoder == nil {
                    let position = try AppliedPosition(record: Bytes(copying: value), group: group)
                    taken.append(position.id.index.rawValue)
                    encoder = try SnapshotEncoder(
                        SnapshotHeader(
                            group: group, clusterID: store.identity.clusterID,
                            meta: SnapshotMeta(id: position.id, membership: position.membership)), to: file)
                    // In the middle of the scan.
                    do { try store.fill(2001...2010, term: 1) } catch { Issue.record(error) }
                }
                try encoder!.add(key, value)
            }
            return try encoder!.finish()
        }.description
        #expect(taken == [2000])
        #expect(description.meta.index == LogIndex(2000))
        let other = try TestNode()
        let again = try other.open()
        _ = try again.recoverApplying()
        try again.write([batch(term: 1)])
        try again.install(try again.receive(try SnapshotBytes(try store.makeSnapshot(group)), chunkBytes: 1 << 20))
        #expect(try again.stateContent().count == 2000)
        #expect(try again.get(2001) == nil)
        try again.close()
    }

    @Test(arguments: LogTests.engines)
    func `a finished snapshot serves again while the log reaches it, and is the only one`(
        engine: StoreConfiguration.Engine
    ) throws {
        let store = try store(engine)
        try store.fill(1...10, term: 1)
        let first = try store.makeSnapshot(group)
        try store.fill(11...30, term: 1)
        #expect(try store.makeSnapshot(group).description == first.description)
        #expect(try store.makeSnapshot(group, notBefore: LogIndex(10)).meta.index == LogIndex(10))
        #expect(try store.makeSnapshot(group, notBefore: LogIndex(11)).meta.index == LogIndex(30))
        #expect(try store.shelf.files.names(in: "snapshots") == ["1-30-1.snap"])
        // Who still sends the old one reads it to the end.
        #expect(try SnapshotBytes(first).description == first.description)

        try store.fill(31...40, term: 1)
        try store.flushState()
        _ = try store.truncateLog(group, through: LogIndex(35))
        #expect(try store.makeSnapshot(group).meta.index == LogIndex(40))
    }

    @Test func `before anything is applied there is no snapshot`() throws {
        let store = try store()
        let error = #expect(throws: StorageError.self) { try store.makeSnapshot(group) }
        #expect(error?.kind == .invariant)
        #expect(try store.shelf.files.names(in: "snapshots") == [])
        try store.fill(1...1, term: 1)
        #expect(try store.makeSnapshot(group).meta.index == LogIndex(1))
    }

    @Test func `a snapshot that could not be written leaves nothing, and the node goes on`() throws {
        let steps = Steps()
        let store = try NodeStore.open(
            node.configuration(), identity: try .make(for: node.configuration()), engine: MemoryEngine(),
            files: SteppedFiles(base: MemoryFiles(), steps: steps))
        _ = try store.recoverApplying()
        try store.fill(1...10, term: 1)
        steps.begin(failing: 2)
        #expect(throws: StorageError.self) { try store.makeSnapshot(group) }
        steps.end()
        try store.fill(11...12, term: 1)
        #expect(try store.makeSnapshot(group).meta.index == LogIndex(12))
        #expect(try store.shelf.files.names(in: "snapshots") == ["1-12-1.snap"])
    }

    @Test(arguments: LogTests.engines)
    func `who asks before each block can end a snapshot, which leaves nothing`(
        engine: StoreConfiguration.Engine
    ) throws {
        let store = try store(engine)
        try store.fill(1...400, term: 1, payloadBytes: 10_000)
        var asked: [Int] = []
        let error = #expect(throws: StorageError.self) {
            try store.makeSnapshot(group) { (bytes) throws(StorageError) in
                asked.append(bytes)
                if asked.count == 4 { throw StorageError(.cancelled, "not wanted") }
            }
        }
        #expect(error?.kind == .cancelled)
        #expect(asked.count == 4)
        #expect(asked.first == 0)
        #expect(asked.dropFirst().allSatisfy { $0 >= SnapshotFormat.blockBytes })
        #expect(try store.shelf.files.names(in: "snapshots") == [])

        asked = []
        let reader = try store.makeSnapshot(group) { (bytes) throws(StorageError) in asked.append(bytes) }
        // All but the last block, header, footer and checksums.
        let rest = Int(reader.totalBytes) - asked.reduce(0, +)
        #expect((1...SnapshotFormat.blockBytes + 1_000).contains(rest))
        // It is there now.
        _ = try store.makeSnapshot(group) { (_) throws(StorageError) in throw StorageError(.cancelled, "not wanted") }
    }

    // MARK: Receiving

    @Test func `room for one snapshot is made by what came of others, not by what came of it`() throws {
        let store = try store()
        let (old, new) = (try SnapshotBytes.make(last: 20), try SnapshotBytes.make(last: 30))
        #expect(try store.makeWay(for: old.description, from: sender) == 0)
        let first = try store.receiveSnapshot(old.description, from: sender)
        try first.append(old.bytes.slice(0..<100), at: 0)
        #expect(try store.makeWay(for: old.description, from: sender) == 100)
        // The transfer goes on meanwhile.
        try first.append(old.bytes.slice(100..<150), at: 100)
        #expect(try store.makeWay(for: new.description, from: sender) == 0)
        #expect(try store.shelf.files.names(in: "incoming") == [])
        #expect(throws: SnapshotError.self) { try first.append(old.bytes.slice(150..<160), at: 150) }
        // A whole one that waits to be installed is nobody's part.
        _ = try store.receive(old)
        #expect(try store.makeWay(for: new.description, from: sender) == 0)
        #expect(try store.shelf.files.names(in: "incoming").count == 1)
        _ = try store.receive(new)
    }

    @Test func `a broken transfer goes on where it broke off`() throws {
        let store = try store()
        let snapshot = try SnapshotBytes.make(last: 50)
        let first = try store.receiveSnapshot(snapshot.description, from: sender)
        try first.append(snapshot.bytes.slice(0..<700), at: 0)
        let second = try store.receiveSnapshot(snapshot.description, from: sender)
        #expect(second.offset == 700)
        #expect(throws: SnapshotError.self) { try first.append(snapshot.bytes.slice(700..<800), at: 700) }
        #expect(throws: SnapshotError.self) { try second.append(snapshot.bytes.slice(600..<800), at: 600) }
        #expect(throws: SnapshotError.self) { try second.append(snapshot.bytes.slice(800..<900), at: 800) }
        try second.append(snapshot.bytes.slice(700..<snapshot.bytes.count), at: 700)
        #expect(throws: SnapshotError.self) { try second.append("x", at: second.offset) }
        #expect(try second.finish().description == snapshot.description)
        #expect(throws: SnapshotError.self) { try second.finish() }
    }

    @Test func `another snapshot, or another sender's, begins anew, and the part of the first is gone`() throws {
        let store = try store()
        let (old, new) = (try SnapshotBytes.make(last: 20), try SnapshotBytes.make(last: 30))
        let first = try store.receiveSnapshot(old.description, from: sender)
        try first.append(old.bytes.slice(0..<100), at: 0)
        #expect(try store.receiveSnapshot(old.description, from: NodeID(3)).offset == 0)
        let third = try store.receiveSnapshot(new.description, from: NodeID(3))
        #expect(third.offset == 0)
        #expect(try store.shelf.files.names(in: "incoming").count == 1)
        try third.discard()
        #expect(try store.shelf.files.names(in: "incoming") == [])
    }

    @Test func `a restart begins a transfer anew and removes finished snapshots`() throws {
        let store = try store()
        try store.fill(1...5, term: 1)
        _ = try store.makeSnapshot(group)
        let snapshot = try SnapshotBytes.make(last: 20)
        _ = try store.receive(snapshot)
        try store.close()
        let again = try self.store()
        #expect(try again.shelf.files.names(in: "incoming") == [])
        #expect(try again.shelf.files.names(in: "snapshots") == [])
        #expect(try again.receiveSnapshot(snapshot.description, from: sender).offset == 0)
    }

    @Test func `a snapshot of another cluster or group is refused`() throws {
        let store = try store()
        var snapshot = try SnapshotBytes.make(last: 5)
        snapshot.description.clusterID ^= 1
        #expect(throws: SnapshotError.self) { try store.receiveSnapshot(snapshot.description, from: sender) }
        snapshot.description.clusterID ^= 1
        snapshot.description.group = GroupID(2)
        #expect(throws: SnapshotError.self) { try store.receiveSnapshot(snapshot.description, from: sender) }
    }

    @Test func `one flipped bit anywhere in the file, or a lost or added byte, is noticed`() throws {
        let snapshot = try SnapshotBytes.make(last: 6)
        func check(_ bytes: Bytes, _ what: String) throws {
            let file = try MemoryFiles().create("incoming/x")
            try file.append(bytes)
            #expect(throws: SnapshotError.self, "\(what)") {
                var decoder = try SnapshotDecoder(file, snapshot.description)
                try decoder.read { (_, _) throws(StorageError) in }
            }
        }
        for offset in 0..<snapshot.bytes.count {
            try check(snapshot.bytes.flipped(at: offset, bit: offset % 8), "byte \(offset)")
            try check(snapshot.bytes.slice(0..<offset), "\(offset) bytes")
        }
        try check(Bytes(snapshot.bytes.array + [0]), "a byte more")
    }

    @Test func `a whole, intact file that is another one is noticed`() throws {
        let (snapshot, other) = (try SnapshotBytes.make(last: 6), try SnapshotBytes.make(last: 7))
        func check(_ description: SnapshotDescription) throws {
            let file = try MemoryFiles().create("incoming/x")
            try file.append(snapshot.bytes)
            #expect(throws: SnapshotError.self) {
                var decoder = try SnapshotDecoder(file, description)
                try decoder.read { (_, _) throws(StorageError) in }
            }
        }
        try check(other.description)
        var wrong = snapshot.description
        wrong.hash ^= 1
        try check(wrong)
        wrong = snapshot.description
        wrong.meta.id.index = LogIndex(7)
        try check(wrong)
    }

    @Test func `a header that contradicts the applied record inside is noticed`() throws {
        let file = try MemoryFiles().create("snapshots/x")
        let header = SnapshotHeader(
            group: group, clusterID: 1,
            meta: SnapshotMeta(id: EntryID(term: Term(1), index: LogIndex(9)), membership: founders))
        var encoder = try SnapshotEncoder(header, to: file)
        let position = AppliedPosition(
            id: EntryID(term: Term(1), index: LogIndex(8)), membership: founders, directory: emptyDirectory)
        let record = AppliedRecord(position: position.encode()).encode(group: 1)
        try AppliedRecord.key(group: 1).withUnsafeBytes { key in
            try record.withUnsafeBytes { try encoder.add(key, $0) }
        }
        let description = try encoder.finish()
        #expect(throws: SnapshotError.self) {
            var decoder = try SnapshotDecoder(file, description)
            try decoder.read { (_, _) throws(StorageError) in }
        }
    }

    @Test func `a snapshot of a state of a later format is refused, and the node goes on`() throws {
        let file = try MemoryFiles().create("snapshots/x")
        let id = EntryID(term: Term(1), index: LogIndex(9))
        let header = SnapshotHeader(
            group: group, clusterID: NodeStore.clusterID(name: "roost", founders: founders.voters),
            meta: SnapshotMeta(id: id, membership: founders))
        var encoder = try SnapshotEncoder(header, to: file)
        let position = AppliedPosition(id: id, membership: founders, directory: emptyDirectory)
        let record = AppliedRecord(position: position.encode(), stateFormat: 2).encode(group: 1)
        try AppliedRecord.key(group: 1).withUnsafeBytes { key in
            try record.withUnsafeBytes { try encoder.add(key, $0) }
        }
        let description = try encoder.finish()
        let bytes = try file.read(at: 0, count: Int(try file.byteCount()))
        let store = try store()
        let error = #expect(throws: SnapshotError.self) {
            try store.receive(SnapshotBytes(description: description, bytes: bytes))
        }
        guard case .malformed(let what)? = error else { return #expect(Bool(false), "\(String(describing: error))") }
        #expect(what.contains("has format 2, this build knows 1"))
        #expect(try store.shelf.files.names(in: "incoming") == [])
        try store.fill(1...3, term: 1)
        try store.close()
    }

    @Test func `a malformed snapshot is removed, and the next attempt begins anew`() throws {
        let store = try store()
        let snapshot = try SnapshotBytes.make(last: 20)
        var bad = snapshot
        bad.bytes = bad.bytes.flipped(at: 300)
        #expect(throws: SnapshotError.self) { try store.receive(bad) }
        #expect(try store.shelf.files.names(in: "incoming") == [])
        _ = try store.receive(snapshot)
    }

    // MARK: A full disk

    private func store(on files: FullFiles) throws -> NodeStore {
        let configuration = node.configuration()
        let store = try NodeStore.open(
            configuration, identity: try .make(for: configuration), engine: MemoryEngine(), files: files)
        _ = try store.recoverApplying()
        return store
    }

    @Test(arguments: FullFiles.Step.allCases)
    func `a received snapshot that could not be made durable is given back, and the next attempt begins anew`(
        step: FullFiles.Step
    ) throws {
        let files = FullFiles()
        let store = try store(on: files)
        let snapshot = try SnapshotBytes.make(last: 20)
        files.failNext(step)
        #expect(throws: SnapshotError.storage(FullFiles.error)) { try store.receive(snapshot) }
        #expect(try files.names(in: "incoming") == [])
        #expect(try store.receiveSnapshot(snapshot.description, from: sender).offset == 0)
        _ = try store.receive(snapshot)
    }

    @Test(arguments: FullFiles.Step.allCases)
    func `a snapshot that could not be made durable leaves nothing`(step: FullFiles.Step) throws {
        let files = FullFiles()
        let store = try store(on: files)
        try store.fill(1...10, term: 1)
        files.failNext(step)
        #expect(throws: FullFiles.error) { try store.makeSnapshot(group) }
        #expect(try files.names(in: "snapshots") == [])
        #expect(try store.makeSnapshot(group).meta.index == LogIndex(10))
    }

    @Test func `a description comes back as it was, and damage of it is noticed`() throws {
        let description = try SnapshotBytes.make(last: 3).description
        let bytes = description.encode()
        #expect(try SnapshotDescription(decoding: bytes) == description)
        for offset in 0..<bytes.count {
            #expect(throws: SnapshotError.self) { try SnapshotDescription(decoding: bytes.flipped(at: offset)) }
            #expect(throws: SnapshotError.self) { try SnapshotDescription(decoding: bytes.slice(0..<offset)) }
        }
        #expect(throws: SnapshotError.self) { try SnapshotDescription(decoding: Bytes(bytes.array + [0])) }
    }

    @Test func `keys and values of any size go through blocks`() throws {
        let store = try store(.memory)
        let big = Bytes([UInt8](repeating: 9, count: 3 * SnapshotFormat.blockBytes))
        try store.write([
            batch(
                (1...3).map {
                    Entry(
                        group: group, id: EntryID(term: Term(1), index: LogIndex($0)), kind: .normal,
                        payload: $0 == 2 ? big : Bytes())
                }, commit: 3, term: 1)
        ])
        let request = FetchRequest(
            group: group, follower: NodeID(3), from: LogIndex(1), through: LogIndex(3), maxBytes: .max)
        try store.apply(try store.entries(request))
        let other = try TestNode()
        let target = try other.open()
        _ = try target.recoverApplying()
        try target.write([batch(term: 1)])
        try target.install(try target.receive(try SnapshotBytes(try store.makeSnapshot(group)), chunkBytes: 100_000))
        #expect(try target.stateContent() == ["", big.text, ""])
        try target.close()
    }
}
