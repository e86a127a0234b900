import ByteCoding
import Raft
import Testing

@testable import RaftStorage

/// Every behaviour here holds for both engines.
@Suite("The log")
struct LogTests {
    let node: TestNode

    init() throws { node = try TestNode() }

    static let engines: [StoreConfiguration.Engine] = [.rocksdb, .memory]

    private func store(_ engine: StoreConfiguration.Engine) throws -> NodeStore {
        let store = try node.open { $0.engine = engine }
        _ = try store.recoverApplying()
        return store
    }

    @Test(arguments: engines) func `what is written is read, within the limits of the request`(
        engine: StoreConfiguration.Engine
    ) throws {
        let store = try store(engine)
        try store.write([batch(entries(1...5), term: 1), batch(entries(6...9))])
        #expect(try store.allEntries(from: 1, through: 9) == Array(1...9))
        #expect(try store.allEntries(from: 3, through: 4) == [3, 4])
        #expect(try store.allEntries(from: 5, through: 100) == Array(5...9))
        #expect(try store.allEntries(from: 1, through: 9, maxBytes: 14) == [1, 2])
        #expect(try store.allEntries(from: 1, through: 9, maxBytes: 13) == [1])
        #expect(try store.allEntries(from: 1, through: 9, maxBytes: 0) == [1])
        #expect(try store.allEntries(from: 3, through: 2) == [])
    }

    @Test(arguments: engines) func `an entry comes back as it was, whatever its payload`(
        engine: StoreConfiguration.Engine
    ) throws {
        let store = try store(engine)
        let written = [
            Entry(group: group, id: EntryID(term: Term(1), index: LogIndex(1)), kind: .noop, payload: Bytes()),
            Entry(
                group: group, id: EntryID(term: Term(1), index: LogIndex(2)), kind: .normal,
                payload: Bytes([UInt8](repeating: 0xFF, count: 100_000))),
            Entry(group: group, id: EntryID(term: Term(2), index: LogIndex(3)), kind: .membership, payload: "m"),
        ]
        try store.write([batch(written, term: 2)])
        let read = try store.entries(
            FetchRequest(group: group, follower: NodeID(3), from: LogIndex(1), through: LogIndex(3), maxBytes: .max))
        #expect(read == written)
    }

    @Test(arguments: engines) func `a conflicting suffix is replaced`(engine: StoreConfiguration.Engine) throws {
        let store = try store(engine)
        try store.write([batch(entries(1...9), term: 1)])
        try store.write([batch(entries(5...6, term: 2), term: 2, truncateFrom: 5)])
        #expect(try store.allEntries(from: 1, through: 9) == Array(1...6))
        let fetched = try store.entries(
            FetchRequest(group: group, follower: NodeID(3), from: LogIndex(4), through: LogIndex(5), maxBytes: .max))
        #expect(fetched.map(\.term) == [Term(1), Term(2)])
    }

    @Test(arguments: engines) func `batches of one write take effect in order`(
        engine: StoreConfiguration.Engine
    ) throws {
        let store = try store(engine)
        try store.write([
            batch(entries(1...4), term: 1), batch(entries(3...5, term: 2), term: 2, truncateFrom: 3),
            batch(term: 3, truncateFrom: 5), batch(entries(5...5, term: 3)),
        ])
        let fetched = try store.entries(
            FetchRequest(group: group, follower: NodeID(3), from: LogIndex(1), through: LogIndex(9), maxBytes: .max))
        #expect(fetched.map(\.term.rawValue) == [1, 1, 2, 2, 3])
    }

    @Test(arguments: engines) func `groups have logs of their own in one write`(
        engine: StoreConfiguration.Engine
    ) throws {
        let store = try store(engine)
        let other = GroupID(2)
        _ = try store.recoverApplying(other)
        try store.write([batch(entries(1...2), term: 1), batch([entry(1, in: other)], term: 1, in: other)])
        try store.write([batch(term: 2, truncateFrom: 1)])
        let fetched = try store.entries(
            FetchRequest(group: other, follower: NodeID(3), from: LogIndex(1), through: LogIndex(9), maxBytes: .max))
        #expect(fetched == [entry(1, in: other)])
    }

    @Test(arguments: [
        ("a gap", batch(entries(7...7))),
        ("an entry that is there", batch(entries(5...5))),
        ("a gap after a removal", batch(entries(5...5), truncateFrom: 4)),
        ("a removal of what is committed", batch(entries(3...3), truncateFrom: 3)),
        ("a removal of the first entry", batch(truncateFrom: 0)),
        ("a commit index beyond the log", batch(entries(6...6), commit: 7)),
        ("a group that was not recovered", batch([entry(1, in: GroupID(9))], in: GroupID(9))),
    ])
    func `a batch that would break the log is refused, and nothing of the write happens`(
        what: String, bad: PersistBatch
    ) throws {
        for engine in Self.engines {
            let store = try store(engine)
            try store.write([batch(entries(1...5), commit: 3, term: 1)])
            let good = batch(entries(6...6))
            let error = #expect(throws: StorageError.self, "\(what)") {
                try store.write(bad.entries.first?.index == LogIndex(6) ? [bad] : [batch(term: 2), bad])
            }
            #expect(error?.kind == .invariant)
            #expect(try store.allEntries(from: 1, through: 9) == Array(1...5))
            // The store goes on: nothing was harmed.
            try store.write([good])
            #expect(try store.allEntries(from: 1, through: 9) == Array(1...6))
            try store.close()
        }
    }

    @Test func `an entry whose bytes rotted is never given out`() throws {
        let store = try store(.rocksdb)
        let rotten = Entry(
            id: EntryID(term: Term(1), index: LogIndex(2)), kind: .normal, payload: "entry 2", checksum: 0x1234_5678)
        try store.write([batch([entry(1), rotten, entry(3)], term: 1)])
        #expect(try store.allEntries(from: 1, through: 1) == [1])
        let error = #expect(throws: StorageError.self) { try store.allEntries(from: 1, through: 3) }
        #expect(error?.kind == .corruption)
    }

    @Test func `after a failed write everything that writes fails with the same error`() throws {
        let store = try store(.rocksdb)
        try store.write([batch(entries(1...1), term: 1)])
        let cause = StorageError(.io, "write the log: Input/output error")
        #expect(throws: cause) { try store.failStop { () throws(StorageError) in throw cause } }
        #expect(throws: cause) { try store.write([batch(entries(2...2))]) }
        #expect(throws: cause) { try store.flushState() }
        #expect(throws: cause) { _ = try store.truncateLog(group, through: LogIndex(1)) }
        #expect(throws: cause) { try store.record(incarnation: 1, of: NodeID(3)) }
        #expect(throws: cause) { try store.close() }
        #expect(try store.allEntries(from: 1, through: 9) == [1])
    }
}
