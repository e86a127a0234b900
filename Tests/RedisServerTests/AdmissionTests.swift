import KeyValue
import NIOEmbedded
import Testing

@testable import RedisServer

@Suite("No room: which commands are taken")
struct AdmissionTests {
    private static let growing = [
        "SET k v", "SET k v XX", "APPEND k v", "INCR n", "INCRBY n 2", "MSET a 1 b 2", "ROOST.SESSION OPEN",
        "ROOST.ONCE 1-0 1 SET k v", "ROOST.ONCE 1-0 1 APPEND k v",
    ]
    private static let freeing = [
        "DEL k", "DEL a b", "FLUSHALL", "FLUSHDB ASYNC", "ROOST.SESSION CLOSE 1-0", "ROOST.ONCE 1-0 1 DEL k",
    ]

    @Test(arguments: growing + freeing)
    func `with room everything is handed over`(command: String) throws {
        #expect(try isTaken(command, .all))
    }

    @Test(arguments: growing)
    func `with little room what grows the data is refused at once, with the numbers`(command: String) throws {
        #expect(try !isTaken(command, .freeing))
    }

    @Test(arguments: freeing)
    func `with little room what frees some goes on`(command: String) throws {
        #expect(try isTaken(command, .freeing))
    }

    @Test(arguments: growing + freeing)
    func `without room no write is taken`(command: String) throws {
        #expect(try !isTaken(command, .none))
    }

    @Test func `reads go on, and so does the connection`() throws {
        let connection = try TestConnection()
        connection.backend.admission = .none
        try connection.send("SET k v\r\nGET k\r\nPING\r\n")
        connection.confirmReads()
        #expect(try connection.replies() == "-NOSPACE in this test\r\n$-1\r\n+PONG\r\n")
    }

    @Test func `a write that waited for room in vain is told so`() throws {
        let connection = try TestConnection()
        try connection.send("SET k v\r\n")
        connection.backend.fail(at: 0, .noSpace)
        connection.channel.embeddedEventLoop.run()
        #expect(try connection.replies() == "-NOSPACE in this test\r\n")
    }

    private func isTaken(_ command: String, _ admission: WriteAdmission) throws -> Bool {
        let connection = try TestConnection()
        connection.backend.admission = admission
        try connection.send(command + "\r\n")
        let replies = try connection.replies()
        if connection.backend.submissions.isEmpty { #expect(replies == "-NOSPACE in this test\r\n") }
        return !connection.backend.submissions.isEmpty
    }
}
