import ByteCoding
import KeyValue
import Testing

@Suite("Sessions end by the log alone: expiry by stamps, eviction by last use")
struct SessionLifeTests {
    private let replica = Replica(MemoryStateStore())

    private func apply(_ index: UInt64, at stamp: UInt64, _ commands: [TextCommand]) throws -> [Outcome] {
        try replica.apply([unit(index, commands, stamp: stamp)]).flatMap(\.outcomes)
    }

    @Test func `a session lives through its idle time and not longer`() throws {
        _ = try apply(1, at: 1000, ["OPEN 100 4 9", "OPEN 100 4 9"])
        #expect(try apply(2, at: 1100, ["ONCE 1-0 1 INCRBY n 1"]) == [.integer(1)])
        let commands: [TextCommand] = ["ONCE 1-0 2 INCRBY n 1", "ONCE 1-1 1 INCRBY n 1"]
        #expect(try apply(3, at: 1101, commands) == [.integer(2), .failure(.noSession)])
        #expect(try replica.sessions() == [SessionID(index: 1, ordinal: 0)])
    }

    @Test func `only a new request keeps a session alive`() throws {
        _ = try apply(1, at: 1000, ["OPEN 100 1 9", "ONCE 1-0 7 INCRBY n 1"])
        let others: [TextCommand] = ["ONCE 1-0 7 INCRBY n 1", "ONCE 1-0 6 INCRBY n 1"]
        #expect(try apply(2, at: 1090, others) == [.integer(1), .failure(.staleRequest)])
        #expect(try apply(3, at: 1101, ["ONCE 1-0 7 INCRBY n 1"]) == [.failure(.noSession)])
    }

    @Test func `a stamp that goes back ends nothing`() throws {
        _ = try apply(1, at: 1000, ["OPEN 0 4 9"])
        #expect(try apply(2, at: 0, ["ONCE 1-0 1 INCRBY n 1"]) == [.integer(1)])
        #expect(try apply(3, at: 0, ["ONCE 1-0 2 INCRBY n 1"]) == [.integer(2)])
        #expect(try apply(4, at: 1, ["CLOSE 1-0"]) == [.integer(0)])
    }

    @Test func `beyond the limit the least recently used one makes room, by the order of the log`() throws {
        _ = try apply(1, at: 1000, ["OPEN 100 4 3", "OPEN 100 4 3", "OPEN 100 4 3"])
        _ = try apply(2, at: 1000, ["ONCE 1-0 1 SET k v", "ONCE 1-2 1 SET k v", "ONCE 1-1 1 SET k v"])
        // A repetition is no use.
        _ = try apply(3, at: 1000, ["ONCE 1-0 1 SET k v", "OPEN 100 4 3"])
        #expect(try replica.sessions().map(\.description) == ["1-1", "1-2", "3-1"])
        _ = try apply(4, at: 1000, ["OPEN 100 4 3"])
        #expect(try replica.sessions().map(\.description) == ["1-1", "3-1", "4-0"])
    }

    @Test func `a session that opens takes a few expired ones away`() throws {
        _ = try apply(1, at: 1000, Array(repeating: "OPEN 100 4 99", count: 10))
        _ = try apply(2, at: 1200, ["OPEN 100 4 99"])
        #expect(try replica.sessions().map(\.description) == ["1-4", "1-5", "1-6", "1-7", "1-8", "1-9", "2-0"])
        _ = try apply(3, at: 1200, ["OPEN 100 4 99", "OPEN 100 4 99"])
        #expect(try replica.sessions().map(\.description) == ["2-0", "3-0", "3-1"])
    }

    @Test func `a limit that was lowered is reached bit by bit`() throws {
        _ = try apply(1, at: 1000, Array(repeating: "OPEN 100 4 99", count: 10))
        var counts: [Int] = []
        for index in 2...6 as ClosedRange<UInt64> {
            _ = try apply(index, at: 1000, ["OPEN 100 4 2"])
            counts.append(try replica.sessions().count)
        }
        #expect(counts == [7, 4, 2, 2, 2])
    }

    @Test func `many uses between two openings keep the order`() throws {
        _ = try apply(1, at: 1000, ["OPEN 100 4 3", "OPEN 100 4 3", "OPEN 100 4 3"])
        for number in 1...500 as ClosedRange<UInt64> {
            let commands = [1, 0, 2].map { TextCommand(stringLiteral: "ONCE 1-\($0) \(number) SET k v") }
            _ = try apply(number + 1, at: 1000, commands)
        }
        _ = try apply(502, at: 1000, ["OPEN 100 4 3"])
        #expect(try replica.sessions().map(\.description) == ["1-0", "1-2", "502-0"])
    }

    enum End: CaseIterable {
        case closed, expired, evicted
    }

    @Test(arguments: End.allCases, [0, 1, 3, 4, 9]) func `a session that has ended leaves nothing in the state`(
        _ end: End, _ requests: Int
    ) throws {
        let last: TextCommand =
            switch end {
            case .closed: "CLOSE 1-0"
            case .expired: "ONCE 1-0 99 DEL x"
            case .evicted: "OPEN 100 4 1"
            }
        let stamp: UInt64 = end == .expired ? 2000 : 1000
        let first = ["OPEN 100 4 9"] + (0..<requests).map { TextCommand(stringLiteral: "ONCE 1-0 \($0 + 1) DEL x") }
        _ = try apply(1, at: 1000, first)
        _ = try apply(2, at: stamp, [last])
        let rest = end == .evicted ? 2 : 1
        #expect(try replica.dump().count == rest)
        // The same within one batch.
        let together = Replica(MemoryStateStore())
        try together.apply([unit(1, first, stamp: 1000), unit(2, [last], stamp: stamp)])
        #expect(try together.dump() == replica.dump())
    }
}
