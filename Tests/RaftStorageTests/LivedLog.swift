import ByteCoding
import KeyValue
import Raft
import RocksDB
import Testing

@testable import RaftStorage

/// A log of real commands, and what they make of the state: for tests that need a directory as a node leaves it. The same
/// in every process.
enum LivedLog {
    static let last: UInt64 = 240
    /// Applied and in the state's files; what comes after is in the write-ahead log alone.
    static let flushed: UInt64 = 192
    static let truncated: UInt64 = 60
    static let keys: UInt64 = 97
    private static let session = SessionID(index: 2, ordinal: 0)

    /// Entry 1 is a leader's first, entry 2 opens a session, the others change keys.
    static let entries: [Entry] = (1...last).map { index in
        let id = EntryID(term: Term(index <= 100 ? 1 : 3), index: LogIndex(index))
        guard index > 1 else { return Entry(group: group, id: id, kind: .noop, payload: Bytes()) }
        return Entry(group: group, id: id, kind: .normal, payload: block(index))
    }

    /// What users' keys hold after all entries.
    static let values: [String: [UInt8]] = {
        var values: [String: [UInt8]] = [:]
        for index in 3...last {
            values[key(index)] = value(index)
            if index.isMultiple(of: 5) { values[key(index * 7)] = nil }
            values["once"] = value(index + 1_000)
        }
        return values
    }()

    private static func key(_ index: UInt64) -> String { "key-\(index % keys)" }

    /// Bytes that don't compress to nothing.
    private static func value(_ index: UInt64) -> [UInt8] {
        var random = SplitMix(state: index)
        return (0..<300).map { _ in UInt8.random(in: .min ... .max, using: &random) }
    }

    private static func block(_ index: UInt64) -> Bytes {
        var writer = SegmentWriter()
        if index == 2 {
            writer.openSession(SessionLimits(idleMilliseconds: 3_600_000, window: 4, maxSessions: 8))
        } else {
            set(key(index), value(index), &writer)
            if index.isMultiple(of: 5) {
                let key = Bytes(key(index * 7))
                key.withUnsafeBytes { key in writer.delete(count: 1) { _ in key } }
            }
            writer.once(session, sequence: index - 2) { set("once", value(index + 1_000), &$0) }
        }
        let segment = writer.finish().sign(Origin(node: 1, incarnation: 7, sequence: index))
        return Block.encode(stamp: 1_000_000 + index, segments: [segment])
    }

    private static func set(_ key: String, _ value: [UInt8], _ writer: inout SegmentWriter) {
        Bytes(key).withUnsafeBytes { key in value.withUnsafeBytes { writer.set(key: key, value: $0) } }
    }

    // MARK: On a store

    /// Makes the directory of `node`: tables of log and state, and a write-ahead log with the rest. The store is still open.
    static func live(in node: TestNode) throws -> NodeStore {
        let store = try node.open()
        let machine = KeyValueMachine(store: store.state, group: group.rawValue)
        _ = try store.recover(group, founders: founders) { _ in }
        try store.setSuspect(false)
        try store.record(incarnation: 33, of: NodeID(3))
        for first in stride(from: 1, through: last, by: 8) {
            let batch = Array(entries[Int(first - 1)..<Int(min(last, first + 7))])
            let through = batch.last!.id
            try store.write([
                RaftStorageTests.batch(
                    batch, commit: through.index.rawValue, term: through.term.rawValue, vote: NodeID(1))
            ])
            try apply(batch, with: machine)
            if through.index.rawValue == 96 || through.index.rawValue == flushed { try store.flushState() }
            // Some of the log in table files, as after a long pause.
            if through.index.rawValue == 120 { try store.rocks.flushLog() }
            if through.index.rawValue == 200 { _ = try store.truncateLog(group, through: LogIndex(truncated)) }
        }
        // Says nothing new: damage of a log's last record can't be told from a write that was cut off.
        try store.write([RaftStorageTests.batch(commit: last, term: 3, vote: NodeID(1))])
        return store
    }

    /// A directory as a killed process leaves it, and its node.
    static func killed() throws -> TestNode {
        let node = try TestNode()
        let store = try live(in: node)
        let killed = try node.crashCopy(store)
        try store.close()
        return killed
    }

    static func apply<Store: StateStore>(_ entries: [Entry], with machine: KeyValueMachine<Store>) throws {
        let units = entries.map { entry in
            ApplyUnit(
                position: AppliedPosition(id: entry.id, membership: founders, directory: emptyDirectory).encode(),
                index: entry.index.rawValue, payload: entry.kind == .normal ? entry.payload : nil)
        }
        try machine.apply(units, settlingFor: 0, incarnation: 0) { _, _ in }
    }

    /// Opens the directory as a node does, replays, and reads everything.
    ///
    /// - Returns: what is not as it should be, in words; nil for nothing. What the store refuses is thrown.
    static func readEverything(in node: TestNode) throws -> String? {
        let store = try node.open()
        defer { store.abandon() }
        let machine = KeyValueMachine(store: store.state, group: group.rawValue)
        let restored = try store.recover(group, founders: founders) { (entries) throws(StorageError) in
            do { try apply(entries, with: machine) } catch { throw StorageError(.corruption, "\(error)") }
        }
        guard restored.lastIndex == LogIndex(last), restored.applied == LogIndex(last),
            restored.hardState == HardState(term: Term(3), vote: NodeID(1)),
            restored.truncated == entries[Int(truncated) - 1].id, restored.mayVote
        else { return "restored \(restored)" }
        let request = FetchRequest(
            group: group, follower: NodeID(3), from: LogIndex(truncated + 1), through: LogIndex(last), maxBytes: .max)
        guard try store.entries(request) == Array(entries[Int(truncated)...]) else { return "other entries" }
        guard store.peerIncarnation(of: NodeID(3)) == 33 else { return "another incarnation of node 3" }
        return try differingKey(in: store)
    }

    private static func differingKey(in store: NodeStore) throws -> String? {
        var found: [String: [UInt8]] = [:]
        let (lower, upper) = StateKey.userRange(group: group.rawValue)
        var failure: ValueFormatError?
        try store.state.scan(from: lower, to: upper) { key, stored in
            do throws(ValueFormatError) {
                let name = String(decoding: key[StateKey.userPrefixBytes...], as: UTF8.self)
                found[name] = [UInt8](try ValueHeader.decode(stored).value)
                return true
            } catch {
                failure = error
                return false
            }
        }
        if let failure { throw failure }
        if found == values { return nil }
        let names = Set(found.keys).union(values.keys).sorted()
        return "key " + (names.first { found[$0] != values[$0] } ?? "?")
    }
}
