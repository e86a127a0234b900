import ByteCoding
import KeyValue
import Testing

@Suite("Sessions: a request that comes again is not executed again")
struct SessionTests {
    private let replica = Replica(MemoryStateStore())

    private func apply(_ index: UInt64, _ commands: [TextCommand], stamp: UInt64? = nil) throws -> [Outcome] {
        try replica.apply([unit(index, commands, stamp: stamp)]).flatMap(\.outcomes)
    }

    @Test func `a session's id is the position of the command that opened it`() throws {
        #expect(try apply(4, ["SET k v", "OPEN 9 9 9", "OPEN 9 9 9"]) == [.ok, .value("4-1"), .value("4-2")])
        #expect(try apply(5, ["OPEN 9 9 9"]) == [.value("5-0")])
        #expect(try replica.sessions().map(\.description) == ["4-1", "4-2", "5-0"])
    }

    enum Cut: CaseIterable {
        case oneSegment, oneBlock, oneCall, calls, restart
    }

    /// The second may enter the log while the first is on its way: both are there, and apply tells them apart.
    @Test(arguments: Cut.allCases)
    func `a repetition gets the first one's outcome, wherever it stands`(_ cut: Cut) throws {
        _ = try apply(1, ["OPEN 1000 8 9"])
        let once: TextCommand = "ONCE 1-0 1 INCRBY n 1"
        let other = Origin(node: 2, incarnation: 5, sequence: 9)
        var outcomes: [Outcome]
        switch cut {
        case .oneSegment: outcomes = try apply(2, [once, once])
        case .oneBlock:
            let segments = [segment([once], other), segment([once], .own(2))]
            outcomes = [.integer(1)] + (try replica.apply([unit(2, segments: segments)])[0].outcomes)
        case .oneCall:
            outcomes = try replica.apply([unit(2, [once]), unit(3, [once])]).flatMap(\.outcomes)
        case .calls: outcomes = try apply(2, [once]) + apply(3, [once])
        case .restart:
            outcomes = try apply(2, [once])
            outcomes += try Replica(replica.store).apply([unit(3, [once])])[0].outcomes
        }
        #expect(outcomes == [.integer(1), .integer(1)])
        #expect(try replica.values() == ["n": "1"])
    }

    @Test func `a repetition changes no byte of the state`() throws {
        _ = try apply(1, ["OPEN 1000 8 9", "ONCE 1-0 1 SET k v"])
        let before = try replica.dump().dropFirst()
        #expect(try apply(2, ["ONCE 1-0 1 SET k v"], stamp: 1500) == [.ok])
        #expect(try replica.dump().dropFirst() == before)
    }

    @Test(
        arguments: [
            ("SET k v", .ok), ("SET k v NX", .null), ("SET k v XX", .ok), ("SET k v IFEQ 5", .ok),
            ("SET k v IFEQ 6", .null), ("SET k v GET", .value("5")), ("SET k v NX GET", .value("5")),
            ("SET x v GET", .null), ("SET e v GET", .value("")),
            ("DEL k x k", .integer(1)), ("APPEND k ab", .integer(3)), ("INCRBY k -7", .integer(-2)),
            ("INCRBY x 9223372036854775807", .integer(.max)), ("INCRBY e 1", .failure(.notAnInteger)),
            ("INCRBY k 9223372036854775807", .failure(.overflow)), ("MSET k 1 x 2", .ok), ("FLUSHALL", .ok),
        ] as [(TextCommand, Outcome)])
    func `the outcome that is kept is exact, whatever becomes of the keys`(
        _ command: TextCommand, _ outcome: Outcome
    ) throws {
        let once = TextCommand(["ONCE", "1-0", "7"] + command.words)
        #expect(try apply(1, ["OPEN 1000 8 9", "MSET k 5 e ''", once]).last == outcome)
        _ = try apply(2, ["FLUSHALL", "MSET k 70 x 71 e 72"])
        let (values, fresh) = (try replica.values(), Replica(replica.store))
        #expect(try apply(3, [once]) == [outcome])
        #expect(try fresh.apply([unit(4, [once])])[0].outcomes == [outcome])
        #expect(try replica.values() == values)
    }

    @Test func `an outcome is kept although nobody on this node waits for it`() throws {
        let commands: [TextCommand] = ["OPEN 1000 8 9", "SET k old", "ONCE 1-0 1 SET k new GET"]
        try replica.machine.apply([unit(1, commands)], settlingFor: 2, incarnation: 5) { _, _ in }
        #expect(try apply(2, ["ONCE 1-0 1 SET k new GET"]) == [.value("old")])
    }

    @Test func `numbers may come in any order within the window, each once`() throws {
        _ = try apply(1, ["OPEN 1000 4 9"])
        let commands = [6, 4, 5, 3, 4, 6, 2].map { TextCommand(stringLiteral: "ONCE 1-0 \($0) INCRBY n 1") }
        let outcomes: [Outcome] = [1, 2, 3, 4, 2, 1].map { .integer($0) } + [.failure(.staleRequest)]
        #expect(try apply(2, commands) == outcomes)
        #expect(try apply(3, commands) == [1, 2, 3, 4, 2, 1].map { .integer($0) } + [.failure(.staleRequest)])
    }

    @Test func `a number that leaves the window is stale, and its slot taken over`() throws {
        _ = try apply(1, ["OPEN 1000 4 9", "ONCE 1-0 1 INCRBY n 1", "ONCE 1-0 4 INCRBY n 1"])
        #expect(try apply(2, ["ONCE 1-0 1 INCRBY n 1"]) == [.integer(1)])
        let (stale, kept): (TextCommand, TextCommand) = ("ONCE 1-0 1 INCRBY n 1", "ONCE 1-0 4 INCRBY n 1")
        #expect(try apply(3, ["ONCE 1-0 5 INCRBY n 1", stale]) == [.integer(3), .failure(.staleRequest)])
        #expect(try apply(4, [stale, kept]) == [.failure(.staleRequest), .integer(2)])
        // Far ahead: what the slots still hold is older than the window, and no reply to the new numbers.
        #expect(try apply(5, ["ONCE 1-0 100 INCRBY n 1", "ONCE 1-0 97 INCRBY n 1"]) == [.integer(4), .integer(5)])
        #expect(try apply(6, ["ONCE 1-0 96 INCRBY n 1"]) == [.failure(.staleRequest)])
        #expect(try replica.values() == ["n": "5"])
    }

    @Test func `the largest number leaves room for nothing above it`() throws {
        let last = UInt64.max
        _ = try apply(1, ["OPEN 1000 4 9"])
        let commands = [last, last - 3, last - 4, last].map { TextCommand(stringLiteral: "ONCE 1-0 \($0) INCRBY n 1") }
        #expect(
            try apply(2, commands) == [.integer(1), .integer(2), .failure(.staleRequest), .integer(1)])
    }

    @Test(arguments: ["1-1", "2-0", "0-0"])
    func `nothing is executed in a session that does not exist`(_ id: String) throws {
        _ = try apply(1, ["OPEN 1000 4 9"])
        let once = TextCommand(stringLiteral: "ONCE \(id) 1 SET k v")
        #expect(try apply(2, [once, TextCommand(["CLOSE", id])]) == [.failure(.noSession), .integer(0)])
        #expect(try replica.values() == [:])
    }

    @Test func `a closed session is gone`() throws {
        _ = try apply(1, ["OPEN 1000 4 9", "ONCE 1-0 1 SET k v"])
        #expect(try apply(2, ["CLOSE 1-0", "CLOSE 1-0"]) == [.integer(1), .integer(0)])
        #expect(try apply(3, ["ONCE 1-0 1 SET k v"]) == [.failure(.noSession)])
    }

    @Test func `a flush leaves sessions alone, and groups have their own`() throws {
        _ = try apply(1, ["OPEN 1000 4 9", "ONCE 1-0 1 INCRBY n 1", "FLUSHALL"])
        #expect(try apply(2, ["ONCE 1-0 1 INCRBY n 1"]) == [.integer(1)])
        let other = Replica(replica.store, group: 8)
        #expect(try other.apply([unit(1, ["ONCE 1-0 1 INCRBY n 1"])])[0].outcomes == [.failure(.noSession)])
    }

    @Test func `a write in a session has the version of its own command, and a repetition leaves it`() throws {
        _ = try apply(3, ["OPEN 1000 4 9", "ONCE 3-0 1 SET k v", "ONCE 3-0 1 SET k v"])
        let stored = try #require(try replica.dump().first { $0.key == StateKey.user("k", group: 7) })
        let version = try stored.value.withUnsafeBytes { try ValueHeader.decode($0).header.version }
        #expect(version == Version(index: 3, ordinal: 1))
    }

    @Test func `an old value that is too long to keep is refused, and that is remembered`() throws {
        let (longest, longer) = (
            String(repeating: "x", count: StoredReply.maxValueBytes),
            String(repeating: "x", count: StoredReply.maxValueBytes + 1)
        )
        _ = try apply(1, ["OPEN 1000 4 9", TextCommand(["MSET", "a", longest, "b", longer])])
        let commands: [TextCommand] = ["ONCE 1-0 1 SET a 1 GET", "ONCE 1-0 2 SET b 1 GET"]
        let outcomes: [Outcome] = [.value(Bytes(longest)), .failure(.oldValueTooLong)]
        #expect(try apply(2, commands) == outcomes)
        #expect(try replica.values() == ["a": "1", "b": longer])
        #expect(try apply(3, ["SET b 2 GET"]) == [.value(Bytes(longer))], "only sessions keep replies")
        #expect(try apply(4, commands) == outcomes)
    }

    @Test func `a new number costs no read of the store, a repetition one`() throws {
        let replica = Replica(SpyStore())
        try replica.apply([unit(1, ["OPEN 1000 4 9", "ONCE 1-0 1 SET k v", "ONCE 1-0 1 SET k v"])])
        try replica.apply([unit(2, ["ONCE 1-0 2 SET k v"])])
        #expect(replica.store.seen == SpyStore.Counts(reads: 0, commits: 2))
        try replica.apply([unit(3, ["ONCE 1-0 1 SET k v"])])
        #expect(replica.store.seen == SpyStore.Counts(reads: 1, commits: 3))
    }

    @Test(arguments: ["0-0", "812-3", "9223372036854775807-4294967295"])
    func `a token is read back`(_ token: String) throws {
        #expect(try #require(SessionID(Bytes(token))).description == token)
    }

    @Test(arguments: ["", "-", "1", "1-", "-1", "01-0", "1-00", "1-0 ", "1-4294967296", "-1-0", "1--0", "x-y", "1-2-3"])
    func `what is no token is not taken for one`(_ text: String) {
        #expect(SessionID(Bytes(text)) == nil)
    }
}
