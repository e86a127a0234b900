import ByteCoding
import KeyValue
import Raft
import Testing

@testable import RaftStorage

@Suite("The state")
struct StateTests {
    let node: TestNode

    init() throws { node = try TestNode() }

    private func read(_ reader: any StateReader, _ key: Bytes, _ tier: ReadTier = .all) throws -> String? {
        try key.withUnsafeBytes { key in try reader.read(key, tier: tier) { $0.map { Bytes(copying: $0).text } } }
    }

    private func pairs(_ reader: any StateReader, _ lower: Bytes, _ upper: Bytes) throws -> [String] {
        var found: [String] = []
        try reader.scan(from: lower, to: upper) { key, value in
            found.append(Bytes(copying: key).text + "=" + Bytes(copying: value).text)
            return true
        }
        return found
    }

    private func put(_ pairs: KeyValuePairs<Bytes, Bytes>, in store: NodeStore) throws {
        let batch = store.state.makeBatch()
        for (key, value) in pairs { batch.put(key, value) }
        try store.state.commit(batch)
    }

    @Test(arguments: LogTests.engines) func `a batch becomes visible as a whole, in order, and is empty after it`(
        engine: StoreConfiguration.Engine
    ) throws {
        let store = try node.open { $0.engine = engine }
        try put(["old": "1", "gone": "1"], in: store)
        let batch = store.state.makeBatch()
        #expect(batch.isEmpty)
        ("k" as Bytes).withUnsafeBytes { key in
            ("head" as Bytes).withUnsafeBytes { head in
                ("body" as Bytes).withUnsafeBytes { batch.put(key, header: head, value: $0) }
            }
        }
        ("gone" as Bytes).withUnsafeBytes { batch.delete($0) }
        batch.deleteRange(from: "o", to: "p")
        batch.put("oz", "after the range")
        #expect(!batch.isEmpty)
        #expect(try read(store.state, "k") == nil)
        try store.state.commit(batch)
        #expect(batch.isEmpty)
        #expect(try pairs(store.state, "", "z") == ["k=headbody", "oz=after the range"])
    }

    @Test(arguments: LogTests.engines) func `a snapshot sees one moment, by reads and by scans`(
        engine: StoreConfiguration.Engine
    ) throws {
        let store = try node.open { $0.engine = engine }
        try put(["a": "1", "b": "1"], in: store)
        try store.state.withSnapshot { (snapshot) throws(StateStoreError) in
            do {
                try put(["a": "2", "c": "2"], in: store)
                #expect(try read(snapshot, "a") == "1")
                #expect(try read(snapshot, "c") == nil)
                #expect(try pairs(snapshot, "a", "z") == ["a=1", "b=1"])
            } catch { Issue.record(error) }
        }
        #expect(try pairs(store.state, "a", "z") == ["a=2", "b=1", "c=2"])
    }

    @Test func `a read that may not wait says so when the block is on disk`() throws {
        do {
            let store = try node.open()
            try put(["key": "value"], in: store)
            try store.close()
        }
        let store = try node.open()
        let error = #expect(throws: StateStoreError.self) { try read(store.state, "key", .memory) }
        #expect(error?.kind == .wouldBlock)
        #expect(try read(store.state, "key", .all) == "value")
        #expect(try read(store.state, "key", .memory) == "value")
        try put(["new": "1"], in: store)
        #expect(try read(store.state, "new", .memory) == "1")
        try store.state.withSnapshot { (snapshot) throws(StateStoreError) in
            #expect(throws: Never.self) { try read(snapshot, "key", .memory) == "value" }
        }
    }

    @Test func `statistics tell where the bytes are`() throws {
        let store = try node.open()
        _ = try store.recoverApplying()
        let payload = Bytes([UInt8](repeating: 7, count: 50_000))
        try store.write([
            batch(
                [Entry(group: group, id: EntryID(term: Term(1), index: LogIndex(1)), kind: .normal, payload: payload)],
                term: 1)
        ])
        try put(["key": payload], in: store)
        let before = store.statistics()
        #expect(before.walBytes > 50_000)
        #expect(before.logMemtableBytes > 50_000)
        #expect(before.stateMemtableBytes > 50_000)
        #expect(before.stateTableBytes == 0)
        #expect(before.estimatedStateKeys == 1)
        #expect(before.backgroundErrors == 0)
        #expect(!before.isWriteStopped)
        try store.flushState()
        let after = store.statistics()
        #expect(after.stateTableBytes > 0)
        #expect(after.stateMemtableBytes < before.stateMemtableBytes)
    }

    @Test func `an abandoned store writes nothing more`() throws {
        let store = try node.open()
        _ = try store.recoverApplying()
        try store.write([batch(entries(1...2), commit: 2, term: 1)])
        try store.apply(entries(1...2))
        store.abandon()
        // Closing would have flushed the state: nothing would be left to replay.
        #expect(try node.copy().open().recoverApplying().replayed == [1, 2])
    }
}
