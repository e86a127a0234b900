import ByteCoding
import KeyValue
import Testing

@Suite("Sessions and the store: damage, and a state that is replaced")
struct SessionStoreTests {
    private let once: TextCommand = "ONCE 1-0 1 INCRBY n 1"

    /// A replica that has opened a session and executed one request in it.
    private func replica() throws -> Replica<MemoryStateStore> {
        let replica = Replica(MemoryStateStore())
        try replica.apply([unit(1, ["OPEN 1000 4 9", once])])
        return replica
    }

    @Test(arguments: [
        ("12 0000000000000001 00000000", "01"), ("12 0000000000000001 00000000", ""),
        (
            "12 0000000000000001 00000000",
            "02 e803000000000000 04000000 0100000000000000 0100000000000000 00000000 0000000000000000"
        ),
        (
            "12 0000000000000001 00",
            "01 e803000000000000 04000000 0100000000000000 0100000000000000 00000000 0000000000000000"
        ),
        ("13 0000000000000001 00000000 00000001", "01 0100000000000000"),
        ("13 0000000000000001 00000000 00000001", "01 0100000000000000 05"),
        ("13 0000000000000001 00000000 00000001", "01 0100000000000000 00 00"),
        ("13 0000000000000001 00000000 00000001", "01 0100000000000000 04 09"),
        ("13 0000000000000001 00000000 00000001", "02 0100000000000000 00"),
    ])
    func `a record that can't be read stops the node`(_ key: String, _ value: String) throws {
        let store = try replica().store
        let batch = store.makeBatch()
        batch.put(unhex("0000000000000007 \(key)"), unhex(value))
        try store.commit(batch)
        let error = #expect(throws: ApplyError.self) { try Replica(store).apply([unit(2, [once])]) }
        guard case .store(let failure)? = error else {
            Issue.record("\(String(describing: error)) is not of the store")
            return
        }
        #expect(failure.kind == .corruption)
    }

    @Test func `a session whose reply can't be fetched stops the node`() throws {
        let spy = Replica(SpyStore())
        try spy.apply([unit(1, ["OPEN 1000 4 9", once])])
        let failure = StateStoreError(.io, "bad sector")
        spy.store.failReads(failure)
        #expect(throws: ApplyError.store(failure)) { try spy.apply([unit(2, [once])]) }
    }

    /// What the install of a leader's snapshot does to a machine that goes on.
    @Test func `a state that is replaced behind the machine brings its sessions`() throws {
        let leader = try replica()
        try leader.apply((2...9).map { unit($0, ["OPEN 1000 4 9"]) })
        let follower = Replica(MemoryStateStore())
        try follower.apply([unit(1, ["OPEN 1000 4 9"]), unit(2, ["ONCE 1-0 1 SET k v"])])
        try copyGroup(from: leader.store, to: follower.store)
        // No command of a session at first: the machine must not take its old table for the new state's later.
        try follower.apply([unit(10, ["SET k v"])])
        try leader.apply([unit(10, ["SET k v"])])
        let commands: [TextCommand] = [once, "ONCE 1-0 2 INCRBY n 1", "ONCE 9-0 1 INCRBY n 1", "ONCE 10-0 1 DEL k"]
        let answers: [Outcome] = [.integer(1), .integer(2), .integer(3), .failure(.noSession)]
        #expect(try follower.apply([unit(11, commands)])[0].outcomes == answers)
        #expect(try leader.apply([unit(11, commands)])[0].outcomes == answers)
        #expect(try follower.dump() == leader.dump())
    }

    private func copyGroup(from source: MemoryStateStore, to target: MemoryStateStore) throws {
        let (lower, upper) = StateKey.groupRange(7)
        let batch = target.makeBatch()
        batch.deleteRange(from: lower, to: upper)
        try source.scan(from: lower, to: upper) { key, value in
            batch.put(key, header: UnsafeRawBufferPointer(start: nil, count: 0), value: value)
            return true
        }
        try target.commit(batch)
    }

    @Test func `what sessions meet is counted, beside the state`() throws {
        let replica = Replica(MemoryStateStore())
        #expect(replica.machine.sessionStatistics == SessionStatistics())
        let commands: [TextCommand] = [
            "OPEN 9 2 2", "ONCE 1-0 1 DEL k", "ONCE 1-0 1 DEL k", "ONCE 1-0 3 DEL k", "ONCE 1-0 1 DEL k", "OPEN 99 2 2",
            "OPEN 99 2 2", "CLOSE 1-0", "CLOSE 1-6", "ONCE 1-0 9 DEL k",
        ]
        try replica.apply([unit(1, commands, stamp: 1000)])
        try replica.apply([unit(2, ["OPEN 1 2 9", "OPEN 99 2 9"], stamp: 1000)])
        try replica.apply([unit(3, ["CLOSE 2-0"], stamp: 1050)])
        try replica.apply([unit(5, ["CLOSE 2-0"], stamp: 1050)])
        var expected = SessionStatistics()
        (expected.open, expected.opened, expected.closed, expected.expired, expected.evicted) = (2, 5, 1, 1, 1)
        (expected.executed, expected.repeated, expected.stale, expected.unknown) = (2, 1, 1, 1)
        expected.loaded = 2
        #expect(replica.machine.sessionStatistics == expected)
    }

    @Test func `limits are checked where a command is read`() {
        #expect(SessionLimits.standard.isValid)
        #expect(!SessionLimits(idleMilliseconds: 1, window: 0, maxSessions: 1).isValid)
        #expect(!SessionLimits(idleMilliseconds: 1, window: SessionLimits.maxWindow + 1, maxSessions: 1).isValid)
        #expect(!SessionLimits(idleMilliseconds: 1, window: 1, maxSessions: 0).isValid)
    }
}
