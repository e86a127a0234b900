import ByteCoding
import Foundation
import KeyValue
import Raft
import RocksDB
import Testing

@testable import RaftStorage

@Suite("Verification of a directory")
struct VerificationTests {
    private func verify(_ node: TestNode) throws -> VerificationReport {
        var verification = Verification(directory: node.directory)
        return try verification.run()
    }

    private func damage(_ node: TestNode) throws -> [String] {
        try verify(node).findings.filter { $0.severity == .damage }.map(\.message)
    }

    private func refusal(_ node: TestNode) -> StorageError.Kind? {
        #expect(throws: StorageError.self) { try verify(node) }?.kind
    }

    @Test func `the directory of a killed node is whole, and everything in it is counted`() throws {
        let node = try LivedLog.killed()
        let report = try verify(node)
        #expect(report.findings == [])
        #expect(report.identity?.node == NodeID(2))
        #expect(report.entries == Int(LivedLog.last - LivedLog.truncated))
        #expect([report.truncated, report.last] == [LogIndex(LivedLog.truncated), LogIndex(LivedLog.last)])
        #expect([report.applied, report.commit] == [LogIndex(LivedLog.flushed), LogIndex(LivedLog.last)])
        #expect(report.term == Term(3))
        #expect(report.values > 50)
        #expect(report.sessions == 1 && report.replies == 4)
        // Write-ahead log, MANIFEST and tables.
        #expect(report.files >= 4)
    }

    @Test func `the directory of a stopped node and a new one are whole`() throws {
        let node = try TestNode()
        try node.open().close()
        #expect(try damage(node) == [])
        let store = try node.open()
        _ = try store.recoverApplying()
        try store.close()
        #expect(try damage(node) == [])
        let full = try TestNode()
        try LivedLog.live(in: full).close()
        #expect(try verify(full).findings == [])
        #expect(try verify(full).applied == LogIndex(LivedLog.last))
    }

    @Test func `two nodes that have applied the same have the same digest, however their files differ`() throws {
        let (one, other) = (try TestNode(), try TestNode())
        try LivedLog.live(in: one).close()
        let store = try LivedLog.live(in: other)
        store.rocks.database.compact(try #require(store.rocks.family(.state(1))))
        try store.close()
        let digest = try #require(try verify(one).digest)
        #expect(try verify(other).digest == digest)
        #expect(try verify(LivedLog.killed()).digest != digest)
        let again = try NodeStore.open(one.configuration())
        let direct = try again.state.withSnapshot { (reader) throws(StateStoreError) in
            try Self.digest(of: reader)
        }
        #expect(direct == digest)
        try again.close()
    }

    private static func digest(of reader: some StateReader) throws(StateStoreError) -> StateDigest {
        try StateDigest(ofGroup: group.rawValue, in: reader)
    }

    @Test func `looking changes nothing, not even a time`() throws {
        let node = try LivedLog.killed()
        let before = try node.fingerprint()
        _ = try verify(node)
        _ = try OfflineStore.open(node.directory).summary(of: group)
        #expect(try node.fingerprint() == before)
        #expect(before.count > 8)
    }

    @Test func `it says how far it has come, step by step`() throws {
        let node = try LivedLog.killed()
        var steps: [VerificationProgress.Step] = []
        var verification = Verification(directory: node.directory) { progress in
            if steps.last != progress.step { steps.append(progress.step) }
            #expect(progress.total == 0 || progress.done <= progress.total)
        }
        _ = try verification.run()
        #expect(steps == [.writeAheadLog, .opening, .tables, .state])
    }

    @Test func `a directory in use is not looked at, and one that is looked at is not used`() throws {
        let node = try TestNode()
        let store = try node.open()
        #expect(refusal(node) == .locked)
        try store.close()
        let looking = try OfflineStore.open(node.directory)
        // Two may look at once.
        #expect(try damage(node) == [])
        #expect(#expect(throws: StorageError.self) { try node.open() }?.kind == .locked)
        withExtendedLifetime(looking) {}
    }

    @Test func `what is no node's directory, or of a newer format, is refused`() throws {
        let node = try TestNode()
        #expect(refusal(node) == .wrongIdentity)
        try FileManager.default.createDirectory(atPath: node.directory, withIntermediateDirectories: false)
        #expect(refusal(node) == .wrongIdentity)
        let store = try node.open()
        try store.rocks.overwriteFormat(FormatRecord.encode(version: 2))
        try store.close()
        #expect(refusal(node) == .newerFormat)
        let other = try TestNode()
        let made = try other.open()
        try made.rocks.createFamily("state.next")
        try made.close()
        #expect(refusal(other) == .newerFormat)
        let later = try TestNode()
        let lived = try LivedLog.live(in: later)
        try lived.rocks.put(RaftKey.entry(group, LogIndex(201)), RecordDamageTests.laterEntry(Bytes([2]), index: 201))
        try lived.close()
        #expect(refusal(later) == .newerFormat)
    }

    @Test(arguments: ["IDENTITY", "db/CURRENT", "MANIFEST", "log", "sst"])
    func `a flipped byte is found, and the file named`(kind: String) throws {
        let node = try LivedLog.killed()
        let name = try #require(try node.largest(kind))
        try node.edit(name) { $0[$0.count / 3] ^= 0x10 }
        let damage = try damage(node)
        #expect(damage.contains { $0.contains(node.directory) || $0.contains(name) }, "\(damage)")
        #expect(damage.contains { $0.contains(String(name.split(separator: "/").last!)) }, "\(damage)")
    }

    @Test(arguments: 0..<8) func `a footer that names another kind of checksum, or none, is damage`(bit: Int) throws {
        let node = try LivedLog.killed()
        let name = try #require(try node.largest("sst"))
        try node.edit(name) { $0[$0.count - 53] ^= 1 << bit }
        #expect(try damage(node).contains { $0.contains(String(name.split(separator: "/").last!)) })
    }

    @Test func `a last record that was cut off is no damage`() throws {
        let node = try LivedLog.killed()
        try node.edit(try node.walName()) { $0.removeLast(300) }
        let report = try verify(node)
        #expect(report.isWhole)
        #expect(report.findings.map(\.part) == [.writeAheadLog])
        #expect(report.last < LogIndex(LivedLog.last))
    }

    @Test func `a missing table is found`() throws {
        let node = try LivedLog.killed()
        try node.remove(try #require(try node.largest("sst")))
        #expect(try !damage(node).isEmpty)
    }

    @Test func `a gap in the log, a hint that is too high, and a term that falls are found`() throws {
        func damage(_ change: (RocksEngine) throws -> Void) throws -> String {
            let node = try TestNode()
            let store = try LivedLog.live(in: node)
            try change(store.rocks)
            try store.close()
            return try self.damage(node).joined(separator: "; ")
        }
        #expect(try damage { try $0.delete(RaftKey.entry(group, LogIndex(100))) }.contains("gap between 99 and 101"))
        let hint = CommitRecord.encode(LogIndex(LivedLog.last + 1), group: group)
        #expect(try damage { try $0.put(RaftKey.commit(group), hint) }.contains("log was lost"))
        let state = HardStateRecord.encode(HardState(term: Term(2)), group: group)
        #expect(try damage { try $0.put(RaftKey.hardState(group), state) }.contains("hard state only 2"))
        #expect(try damage { try $0.put(RaftKey.hardState(GroupID(9)), state) }.contains("of no record"))
        #expect(try damage { try $0.put(RaftKey.hardState(group), state.flipped(at: 3)) }.contains("wrong checksum"))
    }

    @Test func `an entry that no state machine can read is found`() throws {
        let node = try TestNode()
        let store = try node.open()
        _ = try store.recover(group, founders: founders) { _ in }
        let id = EntryID(term: Term(1), index: LogIndex(1))
        // A block that ends within its stamp.
        let entry = Entry(group: group, id: id, kind: .normal, payload: Bytes([1, 0]))
        try store.write([batch([entry], term: 1)])
        try store.close()
        #expect(try damage(node).first?.contains("log entry 1 is intact, and can't be read") == true)
    }

    @Test(
        arguments: [
            (.normal, [2] + [UInt8](repeating: 0, count: 40)),
            (.membership, [2, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
            // A kind of step, and a context, that this version does not know.
            (
                .membership,
                MembershipChange([.addVoter(NodeID(4))]).encode().array.enumerated().map { $0 == 6 ? 9 : $1 }
            ),
            (.membership, MembershipChange([.addVoter(NodeID(4))], context: Bytes([2, 0])).encode().array),
            (.membership, MembershipChange([.addVoter(NodeID(4))], context: Bytes([1, 0])).encode().array),
        ] as [(Entry.Kind, [UInt8])])
    func `an entry that a state machine of a later version wrote is no damage`(kind: Entry.Kind, payload: [UInt8])
        throws
    {
        let node = try TestNode()
        let store = try node.open()
        _ = try store.recover(group, founders: founders) { _ in }
        let id = EntryID(term: Term(1), index: LogIndex(1))
        try store.write([batch([Entry(group: group, id: id, kind: kind, payload: Bytes(payload))], term: 1)])
        try store.close()
        #expect(refusal(node) == .newerFormat)
    }

    @Test func `values that nobody can have written are found`() throws {
        func damage(_ key: Bytes, _ value: Bytes) throws -> String {
            let node = try TestNode()
            let store = try LivedLog.live(in: node)
            let batch = store.state.makeBatch()
            batch.put(key, value)
            try store.state.commit(batch)
            try store.close()
            return try self.damage(node).joined(separator: "; ")
        }
        let user = StateKey.user("x", group: group.rawValue)
        #expect(try damage(user, "").contains("\\x01\\x10x of the state has a value"))
        var late = ByteWriter()
        late.append(0x10 as UInt8)
        late.append(LivedLog.last + 1)
        late.append(0 as UInt32)
        #expect(try damage(user, late.take()).contains("was written by entry 241"))
        #expect(try damage(StateKey.user("x", group: 2), "").contains("no group"))
        #expect(try damage(StateKey.user("x", group: 1).flipped(at: 8, bit: 7), "").contains("a kind"))
    }

    @Test func `a directory of another node's database is found`() throws {
        let (node, other) = (try TestNode(), try TestNode())
        try node.open().close()
        try other.open().close()
        try node.remove("db")
        try FileManager.default.copyItem(atPath: other.path("db"), toPath: node.path("db"))
        #expect(refusal(node) == .wrongIdentity)
    }

    @Test func `a lost identity or database is damage`() throws {
        let node = try LivedLog.killed()
        let identity = try Data(contentsOf: URL(filePath: node.path("IDENTITY")))
        try node.remove("IDENTITY")
        #expect(try damage(node).first?.contains("IDENTITY is missing") == true)
        try identity.write(to: URL(filePath: node.path("IDENTITY")))
        try node.remove("db")
        #expect(try damage(node).first?.contains("database of node 2 is missing") == true)
    }

    @Test func `what is left of an unfinished snapshot is worth a note`() throws {
        let node = try TestNode()
        let store = try LivedLog.live(in: node)
        _ = try store.rocks.create(.state(2))
        try store.close()
        let report = try verify(node)
        #expect(report.isWhole)
        #expect(report.findings.map(\.message) == ["state.2 is left over from a snapshot: the next start drops it"])
    }

    @Test func `a summary says what the directory holds`() throws {
        let node = try LivedLog.killed()
        let summary = try OfflineStore.open(node.directory).summary(of: group)
        #expect(summary.head.hardState == HardState(term: Term(3), vote: NodeID(1)))
        #expect(summary.entries == LogIndex(LivedLog.truncated + 1)...LogIndex(LivedLog.last))
        #expect(summary.lastTerm == Term(3))
        #expect(summary.applied?.id.index == LogIndex(LivedLog.flushed))
        #expect(summary.applied?.membership == founders)
        #expect(summary.peers.map(\.node) == [NodeID(3)])
        #expect(summary.peers.map(\.incarnation) == [33])
        #expect(summary.families.map(\.name) == ["default", "meta", "raft", "state.1"])
        #expect(summary.families[3].files == 2)
        #expect(summary.writeAheadLogBytes > 0)
        #expect(!summary.isSuspect && !summary.isRemoved)
    }

    @Test func `keys and entries are shown as they are`() throws {
        let node = try LivedLog.killed()
        let store = try OfflineStore.open(node.directory)
        var keys: [String] = []
        try store.scanKeys(group, from: "key-9") { key, _ in
            keys.append(String(decoding: key, as: UTF8.self))
            return keys.count < 3
        }
        #expect(keys == ["key-9", "key-90", "key-91"])
        var found: [Entry] = []
        try store.scanLog(group, LogIndex(1)...LogIndex(70)) { (entry) throws(StorageError) in
            found.append(entry)
            return true
        }
        #expect(found == Array(LivedLog.entries[60..<70]))
    }
}

extension TestNode {
    /// Every file below the directory with its content and its times.
    func fingerprint() throws -> [String: [UInt64]] {
        var result: [String: [UInt64]] = [:]
        for name in try FileManager.default.subpathsOfDirectory(atPath: directory) + [""] {
            var status = stat()
            guard lstat(path(name), &status) == 0 else { continue }
            let isFile = status.st_mode & S_IFMT == S_IFREG
            let content = isFile ? [UInt8](try Data(contentsOf: URL(filePath: path(name)))) : []
            result[name] = [
                UInt64(CRC32C.checksum(Bytes(content))), UInt64(status.st_size), UInt64(status.st_ino),
                UInt64(status.st_mtim.tv_sec),
                UInt64(status.st_mtim.tv_nsec), UInt64(status.st_ctim.tv_sec), UInt64(status.st_ctim.tv_nsec),
            ]
        }
        return result
    }

    /// The largest file of a kind, by name or by what its name begins or ends with.
    func largest(_ kind: String) throws -> String? {
        if kind == "IDENTITY" || kind.hasPrefix("db/") { return kind }
        let names = try FileManager.default.contentsOfDirectory(atPath: path("db"))
            .filter { $0.hasPrefix(kind) || $0.hasSuffix("." + kind) }
        let sizes = try names.map { name in
            (name, try FileManager.default.attributesOfItem(atPath: path("db/" + name))[.size] as? Int ?? 0)
        }
        return sizes.max { $0.1 < $1.1 }.map { "db/" + $0.0 }
    }
}
