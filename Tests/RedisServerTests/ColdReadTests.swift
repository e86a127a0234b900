import KeyValue
import NIOEmbedded
import Testing

@testable import RedisServer

@Suite("Reads that need the disk")
struct ColdReadTests {
    /// So many clients of one loop; client i has a key `k<i>` with a value of its own, and no look into memory helps.
    private func coldClients(_ count: Int, value: (Int) -> String = { "v\($0)" }) throws -> [TestConnection] {
        let first = try TestConnection()
        for number in 0..<count {
            let text = value(number)
            try first.send("*3\r\n$3\r\nSET\r\n$\("k\(number)".utf8.count)\r\nk\(number)\r\n")
            try first.send("$\(text.utf8.count)\r\n\(text)\r\n")
            try first.commitFirst()
        }
        _ = try first.replies()
        first.backend.readsAreLocal = true
        first.backend.isCold = true
        return try [first] + (1..<count).map { _ in try TestConnection(beside: first) }
    }

    private func reply(_ number: Int) -> String { "$\("v\(number)".utf8.count)\r\nv\(number)\r\n" }

    @Test(arguments: [(1, [1]), (2, [1, 1]), (3, [2, 1]), (20, [10, 10]), (40, [16, 16, 8])])
    func `go to the disk in a few groups, and every client gets its own value`(count: Int, groups: [Int]) throws {
        let clients = try coldClients(count)
        for (number, client) in clients.enumerated() { try client.arrive("GET k\(number)\r\nSET k\(number) w\r\n") }
        clients[0].endTurn()
        let backend = clients[0].backend
        #expect(backend.blocking.count == groups.count)
        #expect(backend.reads.isEmpty, "nobody is asked whether this node may read")
        #expect(backend.submissions.isEmpty, "no write overtakes the read before it")
        var next = 0
        for (body, size) in zip(backend.takeBlockingWork(), groups) {
            body()
            clients[0].endTurn()
            for (number, client) in clients.enumerated() {
                #expect(try client.replies() == ((next..<next + size).contains(number) ? reply(number) : ""))
            }
            next += size
        }
        #expect(backend.submissions.map(\.segment.count).reduce(0, +) == count, "the writes behind them go on")
    }

    @Test func `what may take long goes by itself`() throws {
        let clients = try coldClients(6)
        for (client, command) in zip(clients, ["GET k0", "STRLEN k1", "DBSIZE", "MGET k3 k0", "GET k4", "GET k5"]) {
            try client.arrive(command + "\r\n")
        }
        clients[0].endTurn()
        clients[0].confirmReads()
        // GETs leave at once, the others when their moment is confirmed.
        let sizes = clients[0].backend.takeBlockingWork().map { body in
            let before = clients[0].backend.diskReads
            body()
            return clients[0].backend.diskReads - before
        }
        #expect(sizes == [2, 1, 1, 1, 1])
        clients[0].endTurn()
        let replies = try clients.map { try $0.replies() }
        #expect(replies == [reply(0), ":2\r\n", ":6\r\n", "*2\r\n" + reply(3) + reply(0), reply(4), reply(5)])
    }

    @Test func `long values come back before their group is done`() throws {
        let text = String(repeating: "v", count: 700_000)
        let clients = try coldClients(8) { _ in text }
        for (number, client) in clients.enumerated() { try client.arrive("GET k\(number)\r\n") }
        clients[0].endTurn()
        #expect(clients[0].backend.blocking.count == 2)
        var answered = 0
        clients[0].backend.onDiskRead = { number in
            guard number == 3 else { return }
            clients[0].endTurn()
            answered = (0..<8).count { (try? clients[$0].replies().utf8.count) == 700_011 }
        }
        clients[0].backend.runBlockingWork()
        #expect(answered == 2, "more than a megabyte was there")
        clients[0].endTurn()
        #expect(try (2..<8).allSatisfy { try clients[$0].replies().utf8.count == 700_011 })
    }

    @Test func `a read that fails says so, stops the node, and leaves the others their values`() throws {
        let clients = try coldClients(3)
        for (number, client) in clients.enumerated() { try client.arrive("GET k\(number)\r\n") }
        clients[0].endTurn()
        clients[0].backend.failingDiskRead = 2
        clients[0].backend.runBlockingWork()
        clients[0].endTurn()
        #expect(try clients[0].replies() == reply(0))
        #expect(try clients[1].replies() == "-ERR this node's store failed; the node stops\r\n")
        #expect(try clients[2].replies() == reply(2))
        #expect(clients[0].backend.failures.map(\.kind) == [.corruption])
    }

    @Test func `a client that is gone meanwhile is passed over`() throws {
        let clients = try coldClients(4)
        for (number, client) in clients.enumerated() { try client.arrive("GET k\(number)\r\n") }
        clients[0].endTurn()
        _ = try clients[1].channel.finish(acceptAlreadyClosed: true)
        clients[0].backend.runBlockingWork()
        clients[0].endTurn()
        #expect(try clients.map { try $0.replies() } == [reply(0), "", reply(2), reply(3)])
    }

    @Test func `come back although this node decides no longer alone`() throws {
        let clients = try coldClients(1)
        try clients[0].send("GET k0\r\n")
        clients[0].backend.readsAreLocal = false
        clients[0].backend.runBlockingWork()
        clients[0].endTurn()
        #expect(try clients[0].replies() == reply(0))
    }

    @Test func `are not looked for in memory where that is in vain, for this client alone`() throws {
        let clients = try coldClients(2)
        let backend = clients[0].backend
        func read(_ number: Int) throws {
            try clients[number].send("GET k\(number)\r\n")
            backend.runBlockingWork()
            clients[number].endTurn()
            #expect(try clients[number].replies() == reply(number))
        }
        for _ in 0..<200 { try read(0) }
        let before = backend.looks
        for _ in 0..<80 { try read(0) }
        #expect(backend.looks - before == 10, "one in eight")
        try read(1)
        #expect(backend.looks - before == 11, "another client's looks have not been in vain")
        backend.isCold = false
        for _ in 0..<80 { try read(0) }
        let reads = backend.diskReads
        for _ in 0..<20 { try read(0) }
        #expect(backend.diskReads == reads, "memory has it again")
    }
}

@Suite("A look into memory before a read goes to the disk")
struct MemoryHitsTests {
    @Test func `is taken as long as one in eight finds something`() {
        var hits = MemoryHits()
        for number in 0..<1_000 {
            let isWorthALook = hits.isWorthALook()
            #expect(isWorthALook)
            hits.note(isHit: number % 4 == 0)
        }
    }
}
