import NIOEmbedded
import Testing

@testable import RedisServer

@Suite("What the connections of one event loop do in a turn is handed over together")
struct TurnTests {
    @Test func `replies leave when every connection of the turn has been read`() throws {
        let first = try TestConnection()
        let second = try TestConnection(beside: first)
        first.backend.readsAreLocal = true
        try first.arrive("GET a\r\nPING\r\n")
        try second.arrive("GET b\r\n")
        #expect(try first.replies() + second.replies() == "")
        first.endTurn()
        #expect(try first.replies() == "$-1\r\n+PONG\r\n")
        #expect(try second.replies() == "$-1\r\n")
        try first.send("PING\r\n")
        #expect(try first.replies() == "+PONG\r\n", "the next turn sends, too")
    }

    @Test func `a long reply does not wait for the turn's end`() throws {
        let connection = try TestConnection()
        try connection.send("SET k \(String(repeating: "v", count: 40_000))\r\n")
        try connection.commitFirst()
        _ = try connection.replies()
        connection.backend.readsAreLocal = true
        try connection.arrive("GET k\r\n")
        #expect(try connection.replies() == "")
        connection.endTurn()
        #expect(try connection.replies().utf8.count == 40_010)
        try connection.arrive("GET k\r\nGET k\r\n")
        #expect(try connection.replies().utf8.count == 80_020)
    }

    @Test func `a connection that is gone at the turn's end is passed over`() throws {
        let first = try TestConnection()
        let second = try TestConnection(beside: first)
        try first.arrive("PING\r\n")
        try second.arrive("PING\r\n")
        _ = try first.channel.finish(acceptAlreadyClosed: true)
        second.endTurn()
        #expect(try second.replies() == "+PONG\r\n")
    }

    @Test(arguments: [(1, [1]), (2, [1, 1]), (20, [10, 10]), (40, [16, 16, 8])])
    func `cold reads go to the disk in a few groups, and every one is answered`(count: Int, groups: [Int]) throws {
        let first = try TestConnection()
        try first.send("SET k v\r\n")
        try first.commitFirst()
        _ = try first.replies()
        first.backend.readsAreLocal = true
        first.backend.isCold = true
        let connections = try [first] + (1..<count).map { _ in try TestConnection(beside: first) }
        for connection in connections { try connection.arrive("GET k\r\nSET k w\r\n") }
        first.endTurn()
        #expect(first.backend.blocking.count == groups.count)
        #expect(first.backend.reads.isEmpty, "nobody is asked whether this node may read")
        #expect(first.backend.submissions.isEmpty, "no write overtakes the read before it")
        var sizes: [Int] = []
        for body in first.backend.takeBlockingWork() {
            body()
            first.endTurn()
            sizes.append(try connections.count { try $0.replies() == "$1\r\nv\r\n" })
        }
        #expect(sizes == groups)
    }

    @Test func `long values come back before their group is done`() throws {
        let first = try TestConnection()
        try first.send("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$700000\r\n\(String(repeating: "v", count: 700_000))\r\n")
        try first.commitFirst()
        _ = try first.replies()
        first.backend.isCold = true
        let connections = try [first] + (1..<8).map { _ in try TestConnection(beside: first) }
        for connection in connections { try connection.arrive("GET k\r\n") }
        first.endTurn()
        first.confirmReads()
        #expect(first.backend.blocking.count == 2)
        first.backend.runBlockingWork()
        first.endTurn()
        for connection in connections { #expect(try connection.replies().utf8.count == 700_000 + 11) }
    }
}

@Suite("A look into memory before a read goes to the disk")
struct MemoryHitsTests {
    @Test func `memory is not searched where nothing is found, but for a look now and then`() {
        var hits = MemoryHits()
        func looks(_ count: Int, hit: Bool) -> Int {
            (0..<count).count { _ in
                guard hits.isWorthALook() else { return false }
                hits.note(isHit: hit)
                return true
            }
        }
        #expect(looks(1_000, hit: true) == 1_000)
        #expect((50...350).contains(looks(1_000, hit: false)))
        #expect((100...140).contains(looks(1_000, hit: false)), "one in eight")
        #expect(looks(1_000, hit: true) > 900, "it is noticed when values are found again")
        // As many hits as misses: a look is cheaper than a way to the disk.
        #expect((0..<500).allSatisfy { _ in looks(1, hit: true) == 1 && looks(1, hit: false) == 1 })
    }
}
