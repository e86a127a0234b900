import KeyValue
import NIOEmbedded
import Testing

@testable import RedisServer

@Suite("What waits for its turn is bounded in bytes")
struct PipelineBytesTests {
    private static let value = String(repeating: "v", count: 50_000)

    @Test func `no more writes of one connection are handed over than the limit and one`() throws {
        let connection = try TestConnection(maxPipelinedBytes: 1 << 20)
        try connection.send(String(repeating: "SET k \(Self.value)\r\n", count: 100))
        let backend = connection.backend
        let expected = 1 << 20..<(1 << 20) + 51_000
        let handedOver = backend.submissions.map(\.segment.byteCount).reduce(0, +)
        #expect(expected.contains(handedOver))
        #expect(expected.contains(connection.heldBytes))
        var rounds = 0
        while !backend.submissions.isEmpty {
            try connection.commitFirst()
            rounds += 1
        }
        #expect(try connection.replies() == String(repeating: "+OK\r\n", count: 100))
        #expect(rounds > 4)
        #expect(connection.heldBytes == 0)
    }

    @Test func `replies that wait behind a write count`() throws {
        let connection = try TestConnection(maxPipelinedBytes: 64 << 10)
        try connection.send("SET k v\r\n" + String(repeating: "ECHO \(Self.value.prefix(10_000))\r\n", count: 100))
        #expect((64 << 10..<80 << 10).contains(connection.heldBytes))
        try connection.commitFirst()
        #expect(try connection.replies().utf8.count == 5 + 100 * 10_010)
        #expect(connection.heldBytes == 0)
    }

    @Test func `keys of reads that wait count`() throws {
        let connection = try TestConnection(maxPipelinedBytes: 64 << 10)
        let key = String(repeating: "k", count: 10_000)
        try connection.send(String(repeating: "GET \(key)\r\nMGET \(key) \(key)\r\n", count: 50))
        #expect((64 << 10..<96 << 10).contains(connection.heldBytes))
        for _ in 0..<50 { connection.confirmReads() }
        #expect(try connection.replies() == String(repeating: "$-1\r\n*2\r\n$-1\r\n$-1\r\n", count: 50))
        #expect(connection.heldBytes == 0)
    }

    @Test func `many short keys count for what they take`() throws {
        let connection = try TestConnection(maxPipelinedBytes: 64 << 10)
        let command = "MGET" + String(repeating: " k", count: 1_000) + "\r\n"
        try connection.send(String(repeating: command, count: 20))
        #expect((64 << 10..<160 << 10).contains(connection.heldBytes))
        for _ in 0..<20 { connection.confirmReads() }
        #expect(try connection.replies().utf8.count == 20 * (7 + 1_000 * 5))
    }

    /// The limit of replies that are put together, met exactly: nothing of the channel tells then.
    @Test(arguments: ["SET k w\r\n", "GET k\r\n", ""])
    func `replies that fill the output exactly are followed by the others`(last: String) throws {
        let connection = try TestConnection()
        let value = String(repeating: "v", count: 1_015)
        try connection.send("SET k \(value)\r\n")
        try connection.commitFirst()
        _ = try connection.replies()
        // 512 replies of 1,024 bytes are the limit.
        try connection.send(String(repeating: "GET k\r\n", count: 900) + last)
        for _ in 0..<3 { connection.confirmReads() }
        #expect(try connection.replies().utf8.count == (last.hasPrefix("GET") ? 901 : 900) * 1_024)
        if last.hasPrefix("SET") { #expect(connection.backend.submissions.count == 1) }
    }

    @Test func `writes of all connections together are refused beyond a limit, and taken again`() throws {
        let first = try TestConnection(maxWaitingWriteBytes: 125_000)
        let second = try TestConnection(beside: first)
        for _ in 0..<3 { try first.send("SET k \(Self.value)\r\n") }
        try second.send("SET k v\r\nGET k\r\nPING\r\n")
        let refusal = "-BUSY 1501"
        #expect(try second.replies().hasPrefix(refusal), "three writes and their headers")
        // Whoever has gone is waited for all the same.
        _ = try first.channel.finish(acceptAlreadyClosed: true)
        try second.send("SET k v\r\n")
        second.confirmReads()
        #expect(try second.replies().contains("max-waiting-write-bytes 125000); command not executed, try again"))
        try second.commitFirst()
        try second.send("SET k v\r\n")
        #expect(second.backend.submissions.count == 3)
    }
}
