import ByteCoding
import Foundation
import KeyValue
import Raft
import RocksDB
import Testing

@testable import RaftStorage

@Suite("Repair of a directory")
struct RepairTests {
    /// What the core would start from.
    private func restore(_ node: TestNode) throws -> (state: RestoredState, hasForgotten: Bool, keys: Int) {
        let store = try node.open()
        let machine = KeyValueMachine(store: store.state, group: group.rawValue)
        let state = try store.recover(group, founders: founders) { (entries) throws(StorageError) in
            do { try LivedLog.apply(entries, with: machine) } catch { throw StorageError(.corruption, "\(error)") }
        }
        var keys = 0
        let (lower, upper) = StateKey.userRange(group: group.rawValue)
        try store.state.scan(from: lower, to: upper) { _, _ in
            keys += 1
            return true
        }
        let hasForgotten = try store.hasForgotten()
        try store.close()
        return (state, hasForgotten, keys)
    }

    private func verify(_ node: TestNode) throws -> VerificationReport {
        var verification = Verification(directory: node.directory)
        return try verification.run()
    }

    /// A node whose newest log file is damaged behind what is in tables.
    private func damagedTail() throws -> TestNode {
        let node = try LivedLog.killed()
        try node.edit(try node.walName()) { $0[$0.count * 2 / 3] ^= 1 }
        #expect(throws: StorageError.self) { try node.open() }
        return node
    }

    @Test func `a damaged tail of the log is cut where it begins, and the node is suspect`() throws {
        let node = try damagedTail()
        let outcome = try Repair(directory: node.directory).run(.writeAheadLog)
        #expect(outcome.isSuspect)
        #expect(outcome.last >= LogIndex(LivedLog.flushed) && outcome.last < LogIndex(LivedLog.last))
        let report = try verify(node)
        #expect(report.isWhole && report.isSuspect)
        let (state, hasForgotten, _) = try restore(node)
        #expect(state.lastIndex == outcome.last)
        #expect(!state.mayVote && hasForgotten)
        #expect(state.hardState.term == Term(3))
        #expect(state.unapplied == Array(LivedLog.entries[Int(state.applied.rawValue)..<Int(state.lastIndex.rawValue)]))
    }

    @Test func `damage that is older than the state needs more than the tail, and the whole log goes`() throws {
        let node = try LivedLog.killed()
        let name = try node.logNames().first!
        try node.edit(name) { $0[40] ^= 1 }
        #expect(throws: StorageError.self) { try node.open() }
        let error = #expect(throws: StorageError.self) { try Repair(directory: node.directory).run(.writeAheadLog) }
        #expect(error?.kind == .corruption)
        #expect(error?.remedy.contains("--drop-log") == true)
        let outcome = try Repair(directory: node.directory).run(.log)
        #expect(outcome.last == LogIndex(LivedLog.flushed))
        #expect(outcome.applied == LivedLog.entries[Int(LivedLog.flushed) - 1].id)
        let (state, hasForgotten, keys) = try restore(node)
        let ends = [state.lastIndex, state.applied, state.truncated.index]
        #expect(ends.allSatisfy { $0 == LogIndex(LivedLog.flushed) })
        #expect(!state.mayVote && hasForgotten && keys > 50)
        #expect(try verify(node).isWhole)
    }

    @Test func `a damaged table of the log goes with the log`() throws {
        let node = try TestNode()
        try LivedLog.live(in: node).close()
        let name = try #require(try node.table(of: .raft))
        try node.edit(name) { $0[100] ^= 1 }
        #expect(try !verify(node).isWhole)
        #expect(try Repair(directory: node.directory).run(.log).last == LogIndex(LivedLog.last))
        #expect(try verify(node).isWhole)
        #expect(try restore(node).keys > 50)
    }

    @Test func `a damaged state is dropped, and the term and the vote stay`() throws {
        let node = try LivedLog.killed()
        try node.edit(try #require(try node.table(of: .state(1)))) { $0[100] ^= 1 }
        let outcome = try Repair(directory: node.directory).run(.state)
        #expect(outcome.isSuspect && outcome.applied == .zero)
        #expect(try verify(node).isWhole)
        let (state, hasForgotten, keys) = try restore(node)
        #expect([state.lastIndex, state.applied, state.truncated.index] == [.zero, .zero, .zero])
        #expect(state.hardState == HardState(term: Term(3), vote: NodeID(1)))
        #expect(!state.mayVote && hasForgotten && keys == 0)
    }

    @Test(arguments: Repair.Loss.allCases) func `a repair can be repeated, and changes no whole log`(
        loss: Repair.Loss
    ) throws {
        let node = try LivedLog.killed()
        let first = try Repair(directory: node.directory).run(loss)
        #expect(try Repair(directory: node.directory).run(loss) == first)
        if loss == .writeAheadLog { #expect(first.last == LogIndex(LivedLog.last)) }
        #expect(try verify(node).isWhole)
        #expect(!FileManager.default.fileExists(atPath: node.path("suspect")))
    }

    @Test func `a repair that was cut short leaves a node that is suspect`() throws {
        let node = try LivedLog.killed()
        try DataDirectory(path: node.directory).markSuspect()
        let (state, hasForgotten, _) = try restore(node)
        #expect(!state.mayVote && hasForgotten)
        #expect(!FileManager.default.fileExists(atPath: node.path("suspect")))
        #expect(try !restore(node).state.mayVote)
    }

    @Test func `a repair that stopped without the log's family goes on`() throws {
        let node = try TestNode()
        let store = try LivedLog.live(in: node)
        try store.rocks.dropLog()
        try store.close()
        #expect(throws: StorageError.self) { try node.open() }
        #expect(try Repair(directory: node.directory).run(.log).last == LogIndex(LivedLog.last))
        #expect(try restore(node).state.lastIndex == LogIndex(LivedLog.last))
    }

    /// Records of many sizes, some of them over several blocks of the file.
    @Test(arguments: Repair.Loss.allCases) func `damage anywhere in the log's files can be repaired`(
        loss: Repair.Loss
    ) throws {
        let killed = try LivedLog.killed()
        for (number, name) in try killed.logNames().enumerated() {
            let bytes = try Data(contentsOf: URL(filePath: killed.path(name))).count
            for place in stride(from: 20 + number, to: bytes, by: max(1, bytes / 7)) {
                let node = try killed.copy()
                try node.edit(name) { $0[place] ^= 4 }
                guard let outcome = try? Repair(directory: node.directory).run(loss) else {
                    // The state is newer: the tail alone is not enough.
                    #expect(loss == .writeAheadLog)
                    continue
                }
                #expect(outcome.isSuspect)
                #expect(try verify(node).isWhole, "\(name) at \(place)")
                #expect(try !restore(node).state.mayVote)
            }
        }
    }

    /// Of a cluster of one.
    private func loner() throws -> TestNode {
        let node = try TestNode()
        let store = try node.open { $0.founders = [NodeID(2)] }
        _ = try store.recover(group, founders: Membership(voters: [NodeID(2)])) { _ in }
        try store.write([batch(Array(LivedLog.entries[..<5]), commit: 3, term: 1)])
        for entry in LivedLog.entries[5..<60] { try store.write([batch([entry], term: 1)]) }
        let killed = try node.crashCopy(store)
        try store.close()
        try killed.edit(try killed.walName()) { $0[$0.count / 2] ^= 1 }
        return killed
    }

    /// The files, and what they hold and when it was changed. The lock notes the process; links change a file's status.
    private func contents(of node: TestNode) throws -> [String: [UInt64]] {
        try node.fingerprint().filter { !["LOCK", ""].contains($0.key) }.mapValues { Array($0.prefix(5)) }
    }

    @Test func `a node that never had others is not suspect, and can't drop its state`() throws {
        let node = try loner()
        let before = try contents(of: node)
        let error = #expect(throws: StorageError.self) { try Repair(directory: node.directory).run(.state) }
        #expect(error?.kind == .invariant)
        #expect(try contents(of: node) == before)
        let outcome = try Repair(directory: node.directory).run(.writeAheadLog)
        #expect(!outcome.isSuspect && outcome.last > LogIndex(5) && outcome.last < LogIndex(60))
        #expect(try !OfflineStore.open(node.directory).isSuspect())
    }

    /// As a process leaves it that is killed while a full memtable waits to be flushed: the MANIFEST names its log file.
    private func lonerWithFullMemtables() throws -> TestNode {
        let node = try TestNode()
        try node.open { $0.founders = [NodeID(2)] }.close()
        let configuration = node.configuration { $0.logWriteBufferBytes = 64 << 10 }
        let cache = BlockCache(capacityBytes: 1 << 20)
        let families = [FamilyName.root, .raft, .meta, .state(1)].map { name in
            var options = RocksLayout.familyOptions(name, configuration, cache)
            if name == .raft {
                options.maxWriteBuffers = 16
                options.extra += "min_write_buffer_number_to_merge=12"
            }
            return (name.description, options)
        }
        let database = try Database(
            path: node.path("db"), options: RocksLayout.databaseOptions(configuration, creating: false),
            columnFamilies: families)
        let raft = try #require(database.columnFamily(FamilyName.raft.description))
        for index in 1...40 as ClosedRange<UInt64> {
            var batch = WriteBatch()
            RaftKey.entry(group, LogIndex(index)).withSpan { key in
                Bytes([UInt8](repeating: 7, count: 8 << 10)).withSpan { batch.put(key, $0, in: raft) }
            }
            try database.write(&batch, .synced)
        }
        let logs = try FileSystem.names(in: node.path("db")).filter { $0.hasSuffix(".log") }
        #expect(logs.count > 2)
        let killed = try node.copy()
        database.abandon()
        return killed
    }

    @Test func `whoever is alone is known although the MANIFEST names log files that are not looked at`() throws {
        let node = try lonerWithFullMemtables()
        let before = try contents(of: node)
        #expect(throws: StorageError.self) { try Repair(directory: node.directory).run(.state) }
        #expect(try contents(of: node) == before)
        let outcome = try Repair(directory: node.directory).run(.log)
        #expect(!outcome.isSuspect && outcome.last == .zero)
    }

    @Test(
        arguments: [
            (.writeAheadLog, [.opening, .log, .repair]), (.log, [.opening, .repair]), (.state, [.opening, .repair]),
        ] as [(Repair.Loss, [VerificationProgress.Step])])
    func `it says how far it has come`(loss: Repair.Loss, expected: [VerificationProgress.Step]) throws {
        let node = try LivedLog.killed()
        var steps: [VerificationProgress.Step] = []
        _ = try Repair(directory: node.directory) { steps.append($0.step) }.run(loss)
        #expect(steps == expected)
    }

    @Test func `trust lifts the suspicion`() throws {
        let node = try damagedTail()
        _ = try Repair(directory: node.directory).run(.writeAheadLog)
        try Repair(directory: node.directory).trust()
        #expect(try restore(node).state.mayVote)
    }

    @Test func `a directory in use is not repaired`() throws {
        let node = try TestNode()
        let store = try node.open()
        let error = #expect(throws: StorageError.self) { try Repair(directory: node.directory).run(.log) }
        #expect(error?.kind == .locked)
        try store.close()
    }

    /// RocksDB alone would take these for a last write that was cut off.
    @Test(arguments: [4, 6, 7]) func `a length that points behind the end of the newest log is damage, not its end`(
        bit: Int
    ) throws {
        let node = try TestNode()
        let store = try node.open()
        _ = try store.recoverApplying()
        for index in 1...40 as ClosedRange<UInt64> { try store.write([batch([entry(index)], term: 1)]) }
        let killed = try node.crashCopy(store)
        let name = try killed.walName()
        let starts = try killed.recordStarts(of: name)
        for start in starts.dropLast() {
            let copy = try killed.copy()
            try copy.edit(name) { $0[start + 5] ^= 1 << bit }
            let error = #expect(throws: StorageError.self, "\(start)") { try copy.open() }
            #expect(error?.kind == .corruption)
        }
        // The very last record can't be told from a write that was cut off.
        let copy = try killed.copy()
        try copy.edit(name) { $0[starts.last! + 5] ^= 1 << bit }
        #expect(try copy.open().recoverApplying().state.lastIndex == LogIndex(39))
    }
}

extension TestNode {
    /// Files of the write-ahead log, oldest first, as paths within the directory.
    func logNames() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path("db")).filter { $0.hasSuffix(".log") }.sorted()
            .map { "db/" + $0 }
    }

    /// The largest table file of a family, as a path within the directory.
    func table(of family: FamilyName) throws -> String? {
        let store = try OfflineStore.open(directory)
        let files = store.engine.database.liveFiles.filter { $0.columnFamily == family.description }
        return files.max { $0.bytes < $1.bytes }.map { "db/" + $0.name }
    }

    /// Where the records of a log file begin, all of them whole and in its first block.
    func recordStarts(of name: String) throws -> [Int] {
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: path(name))))
        var starts: [Int] = []
        var position = 0
        while position + 7 <= min(bytes.count, 32 << 10), bytes[position + 6] == 1 {
            starts.append(position)
            position += 7 + Int(bytes[position + 4]) + Int(bytes[position + 5]) << 8
        }
        return starts
    }
}
