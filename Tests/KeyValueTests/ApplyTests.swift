import ByteCoding
import KeyValue
import Testing

@Suite("Applying units: one batch, its reads, its settlements")
struct ApplyTests {
    @Test func `all units of a call are one commit, and the applied record has the last one's position`() throws {
        let replica = Replica(SpyStore())
        try replica.apply([unit(4, ["SET a 1"]), unit(5, ["SET b 2"]), unit(9, ["SET c 3"])])
        #expect(replica.store.seen == SpyStore.Counts(reads: 0, commits: 1))
        #expect(try appliedPosition(of: replica) == "at 9")
    }

    @Test func `a unit without payload moves the position only`() throws {
        let replica = Replica(SpyStore())
        let settled = try replica.apply([ApplyUnit(position: "at 3", index: 3, payload: nil)])
        #expect(settled.isEmpty)
        #expect(try appliedPosition(of: replica) == "at 3")
        #expect(try replica.dump().count == 1)
    }

    @Test func `no units, no commit`() throws {
        let replica = Replica(SpyStore())
        #expect(try replica.apply([]).isEmpty)
        #expect(replica.store.seen == SpyStore.Counts())
        #expect(try replica.dump().isEmpty)
    }

    @Test func `a block without segments is applied`() throws {
        let replica = Replica(SpyStore())
        #expect(try replica.apply([unit(2, segments: [])]).isEmpty)
        #expect(try appliedPosition(of: replica) == "at 2")
    }

    @Test func `blind writes read nothing`() throws {
        let replica = Replica(SpyStore())
        try replica.apply([unit(1, ["SET a 1", "MSET a 2 b 3", "FLUSHALL", "SET c 4"]), unit(2, ["SET a 5"])])
        #expect(replica.store.seen == SpyStore.Counts(reads: 0, commits: 1))
        #expect(try replica.values() == ["a": "5", "c": "4"])
    }

    @Test(arguments: [
        ("SET a 1 NX", 1), ("SET a 1 XX", 1), ("SET a 1 IFEQ 0", 1), ("SET a 1 GET", 1), ("DEL a b", 2),
        ("APPEND a x", 1), ("INCRBY a 1", 1),
    ])
    func `a command reads the store only for keys that its batch has not written`(
        _ command: TextCommand, _ reads: Int
    ) throws {
        let cold = Replica(SpyStore())
        try cold.apply([unit(1, [command])])
        #expect(cold.store.seen.reads == reads)
        let warm = Replica(SpyStore())
        try warm.apply([unit(1, ["MSET a 0 b 0"]), unit(2, [command])])
        #expect(warm.store.seen.reads == 0)
        let flushed = Replica(SpyStore())
        try flushed.apply([unit(1, ["FLUSHALL", command])])
        #expect(flushed.store.seen.reads == 0)
    }

    @Test func `a batch reads what it wrote, across segments, units and a flush`() throws {
        let replica = Replica(MemoryStateStore())
        _ = try replica.applyOneByOne(["MSET a stored b stored"])
        let settled = try replica.apply([
            unit(2, segments: [segment(["SET a 1 GET", "INCRBY a 1"], .own(1)), segment(["APPEND a 0"], .own(2))]),
            unit(3, ["SET b 1 NX", "FLUSHALL", "SET b 1 NX", "DEL a b", "SET b 2 GET", "APPEND a x"], origin: .own(3)),
        ])
        #expect(
            settled.map(\.outcomes) == [
                [.value("stored"), .integer(2)],
                [.integer(2)],
                [.null, .ok, .ok, .integer(1), .null, .integer(1)],
            ])
        #expect(try replica.values() == ["a": "x", "b": "2"])
    }

    @Test func `only this process' segments are settled, in order of apply, with an outcome for each command`() throws {
        let replica = Replica(MemoryStateStore())
        let settled = try replica.apply([
            unit(
                1,
                segments: [
                    segment(["SET a 1", "SET a 2 NX"], .own(8)),
                    segment(["INCRBY n 1", "SET a 3 GET"], Origin(node: 2, incarnation: 77, sequence: 1)),
                    segment(["INCRBY n 1"], Origin(node: 1, incarnation: 76, sequence: 9)),
                    segment(["INCRBY n 1"], .own(7)),
                ]),
            unit(2, ["SET b 1"], origin: .own(9)),
        ])
        #expect(
            settled == [
                .init(origin: .own(8), outcomes: [.ok, .null]),
                .init(origin: .own(7), outcomes: [.integer(3)]),
                .init(origin: .own(9), outcomes: [.ok]),
            ])
        #expect(try replica.values() == ["a": "3", "n": "3", "b": "1"])
    }

    @Test func `what is settled is visible to readers`() throws {
        let replica = Replica(MemoryStateStore())
        var seen: [Outcome] = []
        try replica.machine.apply([unit(1, ["SET a 1"])], settlingFor: 1, incarnation: 77) { _, _ in
            seen.append((try? ReadCommand.get("a").run(on: replica.store, group: 7, tier: .all)) ?? .failure(.overflow))
        }
        #expect(seen == [.value("1")])
    }

    @Test func `a version is the unit's index and the command's place in the whole block`() throws {
        let replica = Replica(MemoryStateStore())
        try replica.apply([
            unit(
                12, segments: [segment(["SET a 1", "SET b 1"], .own(1)), segment(["DEL x", "INCRBY c 1"], .own(2))]),
            unit(13, ["MSET d 1 e 1"]),
        ])
        #expect(try versions(of: replica) == ["a": "12-0", "b": "12-1", "c": "12-3", "d": "13-0", "e": "13-0"])
    }

    @Test func `a condition that does not hold leaves the version alone`() throws {
        let replica = Replica(MemoryStateStore())
        _ = try replica.applyOneByOne(["SET a 1", "SET a 2 NX", "SET a 2 IFEQ 0", "SET n x", "INCRBY n 1"])
        #expect(try versions(of: replica) == ["a": "1-0", "n": "4-0"])
    }

    @Test func `groups do not see each other, and a flush stays in its own`() throws {
        let store = MemoryStateStore()
        let (seven, eight) = (Replica(store, group: 7), Replica(store, group: 8))
        _ = try seven.applyOneByOne(["SET a seven"])
        _ = try eight.applyOneByOne(["SET a eight", "SET b eight"])
        #expect(try seven.applyOneByOne(["SET b 1 NX", "FLUSHALL"]) == [.ok, .ok])
        #expect(try seven.values() == [:])
        #expect(try eight.values() == ["a": "eight", "b": "eight"])
    }

    @Test func `append and increment keep a key's expiry, a set forgets it`() throws {
        let replica = Replica(MemoryStateStore())
        let header = ValueHeader(version: Version(index: 1, ordinal: 0), expiry: 99)
        for key in ["a", "b", "c"] as [Bytes] { try put("7", at: key, header, in: replica) }
        _ = try replica.applyTogether(["APPEND a 0", "INCRBY b 1", "INCRBY b 1", "SET c 1"])
        #expect(try headers(of: replica).mapValues(\.expiry) == ["a": 99, "b": 99, "c": nil])
        #expect(try replica.values() == ["a": "70", "b": "9", "c": "1"])
    }

    private func appliedPosition(of replica: Replica<some StateStore>) throws -> Bytes? {
        let key = AppliedRecord.key(group: replica.group)
        return try replica.dump().first { $0.key == key }.map {
            try AppliedRecord(decoding: $0.value, group: replica.group).position
        }
    }

    private func headers(of replica: Replica<MemoryStateStore>) throws -> [String: ValueHeader] {
        var headers: [String: ValueHeader] = [:]
        for pair in try replica.dump() where pair.key != AppliedRecord.key(group: replica.group) {
            let name = pair.key.slice(StateKey.userPrefixBytes..<pair.key.count).text
            headers[name] = try pair.value.withUnsafeBytes { try ValueHeader.decode($0).header }
        }
        return headers
    }

    private func versions(of replica: Replica<MemoryStateStore>) throws -> [String: String] {
        try headers(of: replica).mapValues(\.version.description)
    }
}

/// Writes a value past the machine.
func put<Store: StateStore>(_ value: Bytes, at key: Bytes, _ header: ValueHeader, in replica: Replica<Store>) throws {
    let batch = replica.store.makeBatch()
    StateKey.user(key, group: replica.group).withUnsafeBytes { key in
        header.withBytes { header in value.withUnsafeBytes { batch.put(key, header: header, value: $0) } }
    }
    try replica.store.commit(batch)
}
