import ByteCoding
import KeyValue
import Testing

@Suite("Digests and ranges of a group's state")
struct StateDigestTests {
    private func store(_ pairs: [(Bytes, Bytes)]) throws -> MemoryStateStore {
        let store = MemoryStateStore()
        let batch = store.makeBatch()
        for (key, value) in pairs { batch.put(StateKey.user(key, group: 7), value) }
        try store.commit(batch)
        return store
    }

    private func digest(_ pairs: [(Bytes, Bytes)]) throws -> StateDigest {
        try StateDigest(ofGroup: 7, in: store(pairs))
    }

    @Test func `a digest does not change from version to version`() throws {
        #expect(try digest([]).description == "0000000000000000/0")
        let digest = try digest([("a", "1"), ("a longer key than a word", "and a longer value than a word, too")])
        #expect(digest.description == "340e0bdfe292dbc3/2")
        #expect(digest.pairs == 2 && digest.bytes == 9 + 1 + 1 + 9 + 24 + 35)
    }

    @Test func `any byte that differs shows, in a key or a value, and so do a length and a border`() throws {
        let pairs: [(Bytes, Bytes)] = [("key", "value of more than eight bytes"), ("kez", "")]
        var seen: Set<StateDigest> = [try digest(pairs)]
        var cases = 1
        for place in 0..<pairs[0].1.count {
            for bit in 0..<8 as Range<UInt8> {
                var bytes = pairs[0].1.array
                bytes[place] ^= 1 << bit
                seen.insert(try digest([(pairs[0].0, Bytes(bytes)), pairs[1]]))
                cases += 1
            }
        }
        let others: [[(Bytes, Bytes)]] = [
            [], [pairs[0]], [pairs[1]], [pairs[0], ("kez", Bytes([0]))], [pairs[0], ("key2", "")],
            [("keyv", "alue of more than eight bytes"), pairs[1]], [("key", Bytes([UInt8](repeating: 0, count: 8)))],
            [("key", Bytes([UInt8](repeating: 0, count: 9)))], [("key", Bytes([0]))], [("key", "")],
        ]
        for other in others { seen.insert(try digest(other)) }
        #expect(seen.count == cases + others.count)
    }

    @Test func `replicas that applied the same have the same digest, whatever their applied record says`() throws {
        let commands: [TextCommand] = ["MSET a 1 b 2", "OPEN 1000 4 9", "ONCE 1-1 1 INCRBY a 1", "DEL b"]
        let (one, other) = (Replica(MemoryStateStore()), Replica(MemoryStateStore()))
        try one.apply([unit(1, commands)])
        try other.apply([unit(1, commands), ApplyUnit(position: "elsewhere", index: 2, payload: nil)])
        #expect(try one.dump() != other.dump())
        let expected = try StateDigest(ofGroup: 7, in: one.store)
        #expect(try StateDigest(ofGroup: 7, in: other.store) == expected)
        let ofMoment = try other.store.withSnapshot { (moment) throws(StateStoreError) in
            try StateDigest(ofGroup: 7, in: moment)
        }
        #expect(ofMoment == expected)
        #expect(expected.pairs == 3, "the key, the session and its reply")
    }

    @Test(arguments: ["CLOSE 1-0", "ONCE 1-0 2 DEL x", "OPEN 1000 4 9"])
    func `sessions are part of it`(_ command: TextCommand) throws {
        let replica = Replica(MemoryStateStore())
        try replica.apply([unit(1, ["OPEN 1000 4 9", "ONCE 1-0 1 DEL x"])])
        let before = try StateDigest(ofGroup: 7, in: replica.store)
        try replica.apply([unit(2, ["ONCE 1-0 1 DEL x"])])
        #expect(try StateDigest(ofGroup: 7, in: replica.store) == before)
        try replica.apply([unit(3, [command])])
        #expect(try StateDigest(ofGroup: 7, in: replica.store) != before)
    }

    private static let groups = [0, 7, 8, UInt64.max]

    @Test(arguments: groups)
    func `a group's range holds all that is its own and nothing else`(_ group: UInt64) throws {
        let store = MemoryStateStore()
        for group in Self.groups {
            let commands: [TextCommand] = ["SET a-longer-key-than-any-other v", "OPEN 1000 4 9", "ONCE 1-1 1 DEL x"]
            try Replica(store, group: group).apply([unit(1, commands)])
        }
        let digits = String(group, radix: 16)
        let prefix = unhex(String(repeating: "0", count: 16 - digits.count) + digits)
        let own = try Replica(store).dump(from: Bytes(), to: Bytes([UInt8](repeating: 0xFF, count: 64)))
            .filter { $0.key.slice(0..<8) == prefix }
        let (lower, upper) = StateKey.groupRange(group)
        let everything = try Replica(store).dump(from: lower, to: upper)
        #expect(everything == own && everything.count == 4)
        #expect(everything[0].key == AppliedRecord.key(group: group))
        let content = StateKey.contentRange(group: group)
        #expect(try Replica(store).dump(from: content.lower, to: content.upper) == Array(everything.dropFirst()))
    }
}
