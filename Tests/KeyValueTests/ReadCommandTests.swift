import ByteCoding
import KeyValue
import Testing

@Suite("Read commands")
struct ReadCommandTests {
    private func replica() throws -> Replica<MemoryStateStore> {
        let replica = Replica(MemoryStateStore())
        _ = try replica.applyOneByOne(["MSET a 1 b '' c three", "SET other 1"])
        _ = try Replica(replica.store, group: 8).applyOneByOne(["SET z 1"])
        return replica
    }

    @Test(arguments: [
        (ReadCommand.get("a"), Outcome.value("1")),
        (.get("b"), .value("")),
        (.get("x"), .null),
        (.get("z"), .null),
        (.multiGet(["c", "x", "a", "c"]), .values(["three", nil, "1", "three"])),
        (.multiGet([]), .values([])),
        (.exists(["a", "x", "b", "a"]), .integer(3)),
        (.exists(["z"]), .integer(0)),
        (.valueLength("c"), .integer(5)),
        (.valueLength("b"), .integer(0)),
        (.valueLength("x"), .integer(0)),
        (.countKeys, .integer(4)),
    ])
    func `a read answers as Redis does, from its own group`(_ command: ReadCommand, _ outcome: Outcome) throws {
        #expect(try command.run(on: try replica().store, group: 7, tier: .all) == outcome)
    }

    @Test func `a count does not run where waiting is not allowed`() throws {
        let store = try replica().store
        let error = #expect(throws: StateStoreError.self) {
            try ReadCommand.countKeys.run(on: store, group: 7, tier: .memory)
        }
        #expect(error?.kind == .wouldBlock)
    }

    @Test func `a store that would block says so through the command`() {
        let store = SpyStore()
        let error = StateStoreError(.wouldBlock, "not in the cache")
        store.failReads(error)
        #expect(throws: error) { try ReadCommand.get("a").run(on: store, group: 7, tier: .memory) }
    }

    @Test func `a value can be read in place, without its header`() throws {
        let store = try replica().store
        let read = { (key: String) in
            try Array(key.utf8).withUnsafeBytes { key in
                try ReadCommand.withValue(of: key, in: store, group: 7, tier: .memory) { $0.map(Array.init) }
            }
        }
        #expect(try read("c") == Array("three".utf8))
        #expect(try read("b") == [])
        #expect(try read("x") == nil)
    }
}
