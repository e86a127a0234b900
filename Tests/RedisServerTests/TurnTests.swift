import KeyValue
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

    @Test func `much that has gathered does not wait for the turn's end`() throws {
        let first = try TestConnection()
        let second = try TestConnection(beside: first)
        try first.send("SET k \(String(repeating: "v", count: 60_000))\r\n")
        try first.commitFirst()
        _ = try first.replies()
        first.backend.readsAreLocal = true
        try first.arrive("GET k\r\nGET k\r\nGET k\r\n")
        #expect(try first.replies() == "")
        try second.arrive("GET k\r\nGET k\r\n")
        #expect(try first.replies().utf8.count == 3 * 60_010)
        #expect(try second.replies().utf8.count == 2 * 60_010)
        first.endTurn()
        #expect(try first.replies() + second.replies() == "")
    }

    @Test func `a connection that is gone at the turn's end is passed over`() throws {
        let first = try TestConnection()
        let second = try TestConnection(beside: first)
        try first.arrive("PING\r\n")
        try second.arrive("PING\r\n")
        _ = try first.channel.finish(acceptAlreadyClosed: true)
        second.endTurn()
        #expect(try second.replies() == "+PONG\r\n")
        #expect(try first.replies() == "")
    }

    @Test(arguments: [("QUIT\r\n", "+OK\r\n"), ("*1\r\n!", "-ERR Protocol error: expected '$', got '!'\r\n")])
    func `what a connection ends with leaves behind what it was answered before`(bytes: String, end: String) throws {
        let connection = try TestConnection()
        try connection.arrive("PING\r\n" + bytes)
        connection.endTurn()
        #expect(try connection.replies() == "+PONG\r\n" + end)
        #expect(!connection.channel.isActive)
    }

    @Test func `replies leave before the loop may wait for a write, and the disk is asked before, too`() throws {
        let first = try TestConnection()
        let second = try TestConnection(beside: first)
        let third = try TestConnection(beside: first)
        first.backend.readsAreLocal = true
        first.backend.isCold = true
        var seen: [String] = []
        first.backend.onSubmit = {
            let reply = (try? first.replies()) ?? ""
            seen.append("\(reply) \(first.backend.blocking.count)")
        }
        try third.arrive("SET k v\r\n")
        try second.arrive("GET k\r\n")
        try first.arrive("PING\r\n")
        first.endTurn()
        #expect(seen == ["+PONG\r\n 1"])
    }

    /// Clients with so many SETs each, of values with so many bytes.
    @Test(arguments: [
        (1, 1, 10, true), (2, 1, 10, false), (15, 1, 10, false), (16, 1, 10, true), (60, 2, 10, true),
        (1, 16, 10, false), (1, 1, 40_000, false), (16, 1, 3_000, false),
    ])
    func `the loop may wait for a lone write and for that of a crowd`(
        clients: Int, writes: Int, bytes: Int, mayWait: Bool
    ) throws {
        let first = try TestConnection()
        let connections = try [first] + (1..<clients).map { _ in try TestConnection(beside: first) }
        let set = "SET k \(String(repeating: "v", count: bytes))\r\n"
        for connection in connections { try connection.arrive(String(repeating: set, count: writes)) }
        first.endTurn()
        #expect(first.backend.submissions.map(\.mayWait) == [mayWait])
        #expect(first.backend.submissions.map(\.segment.count) == [clients * writes])
    }

    @Test func `in the middle of a turn nobody waits`() throws {
        let connection = try TestConnection(maxBatchBytes: 100)
        try connection.arrive("SET k \(String(repeating: "v", count: 100))\r\n")
        #expect(connection.backend.submissions.map(\.mayWait) == [false])
    }
}
