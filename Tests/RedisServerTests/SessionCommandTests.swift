import KeyValue
import NIOEmbedded
import Testing

@testable import RedisServer

@Suite("ROOST.SESSION and ROOST.ONCE")
struct SessionCommandTests {
    @Test(arguments: [
        ("ROOST.SESSION", "-ERR wrong number of arguments for 'roost.session' command"),
        ("ROOST.SESSION NOPE", "-ERR unknown subcommand 'NOPE'. Try COMMAND DOCS ROOST.SESSION."),
        ("ROOST.SESSION OPEN IDLE", "-ERR syntax error"), ("ROOST.SESSION OPEN NOPE 1", "-ERR syntax error"),
        ("ROOST.SESSION OPEN IDLE x", "-ERR value is not an integer or out of range"),
        ("ROOST.SESSION OPEN IDLE 0", "-ERR IDLE is a number of milliseconds from 1"),
        ("ROOST.SESSION OPEN WINDOW 0", "-ERR WINDOW is a number of requests from 1 to 1024"),
        ("ROOST.SESSION OPEN IDLE 5 WINDOW 1025", "-ERR WINDOW is a number of requests from 1 to 1024"),
        ("ROOST.SESSION CLOSE", "-ERR wrong number of arguments for 'roost.session|close' command"),
        ("ROOST.SESSION CLOSE 1-0 2-0", "-ERR wrong number of arguments for 'roost.session|close' command"),
        ("ROOST.SESSION CLOSE x", "-ERR 'x' is no session: use the token that ROOST.SESSION OPEN answered"),
        ("ROOST.ONCE 1-0 1", "-ERR wrong number of arguments for 'roost.once' command"),
        ("ROOST.ONCE 1 1 SET k v", "-ERR '1' is no session: use the token that ROOST.SESSION OPEN answered"),
        ("ROOST.ONCE 1-0 0 SET k v", "-ERR the number of a request is an integer from 1"),
        ("ROOST.ONCE 1-0 x SET k v", "-ERR the number of a request is an integer from 1"),
        ("ROOST.ONCE 1-0 1 NOPE k", "-ERR unknown command 'NOPE', with args beginning with: 'k' "),
        ("ROOST.ONCE 1-0 1 SET k", "-ERR wrong number of arguments for 'set' command"),
        ("ROOST.ONCE 1-0 1 MSET a 1 b", "-ERR wrong number of arguments for 'mset' command"),
        ("ROOST.ONCE 1-0 1 INCRBY k x", "-ERR value is not an integer or out of range"),
        ("ROOST.ONCE 1-0 1 SET k v NX XX", "-ERR syntax error"),
        ("ROOST.ONCE 1-0 1 GET k", "-ERR ROOST.ONCE takes commands that write keys; send 'get' without it"),
        ("ROOST.ONCE 1-0 1 DBSIZE", "-ERR ROOST.ONCE takes commands that write keys; send 'dbsize' without it"),
        ("ROOST.ONCE 1-0 1 PING", "-ERR ROOST.ONCE takes commands that write keys; send 'ping' without it"),
        (
            "ROOST.ONCE 1-0 1 ROOST.SESSION OPEN",
            "-ERR ROOST.ONCE takes commands that write keys; send 'roost.session' without it"
        ),
        (
            "ROOST.ONCE 1-0 1 ROOST.ONCE 1-0 2 SET k v",
            "-ERR ROOST.ONCE takes commands that write keys; send 'roost.once' without it"
        ),
    ])
    func `what can't be a request is refused at once`(command: String, reply: String) throws {
        let connection = try TestConnection()
        try connection.send(command + "\r\n")
        #expect(try connection.replies() == reply + "\r\n")
        #expect(connection.backend.submissions.isEmpty)
    }

    @Test func `a key over the limit is refused in a session too`() throws {
        let connection = try TestConnection()
        try connection.send("ROOST.ONCE 1-0 1 SET \(String(repeating: "k", count: 65)) v\r\n")
        #expect(try connection.replies() == "-TOOBIG key 65 bytes > max-key-bytes 64\r\n")
        #expect(connection.backend.submissions.isEmpty)
    }

    /// A connection with the session `1-0`.
    private func connectionWithSession(_ options: String = "") throws -> TestConnection {
        let connection = try TestConnection()
        try connection.send("roost.session open\(options)\r\n")
        try connection.commitFirst()
        #expect(try connection.replies() == "$3\r\n1-0\r\n")
        return connection
    }

    @Test(arguments: [
        ("SET k v", "+OK"), ("SET k v NX", "$-1"), ("SET k v XX GET", "$3\r\nold"), ("SET k v IFEQ old", "+OK"),
        ("DEL k nil", ":1"), ("APPEND k er", ":5"), ("INCR n", ":1"), ("INCRBY n -4", ":-4"), ("MSET k 1 n 2", "+OK"),
        ("FLUSHALL", "+OK"), ("FLUSHDB ASYNC", "+OK"), ("INCR k", "-ERR value is not an integer or out of range"),
    ])
    func `every command that writes is answered as outside, and once`(command: String, reply: String) throws {
        let connection = try connectionWithSession()
        try connection.send("SET k old\r\n")
        try connection.commitFirst()
        #expect(try connection.replies() == "+OK\r\n")
        let once = "ROOST.ONCE 1-0 1 \(command)\r\n"
        for _ in 0..<2 {
            try connection.send(once)
            try connection.commitFirst()
            #expect(try connection.replies() == reply + "\r\n")
        }
    }

    @Test func `a repetition that arrives while the first is under way is not executed`() throws {
        let connection = try connectionWithSession()
        try connection.send("ROOST.ONCE 1-0 1 INCR n\r\n")
        try connection.send("ROOST.ONCE 1-0 1 INCR n\r\nROOST.ONCE 1-0 2 INCR n\r\nINCR n\r\n")
        #expect(connection.backend.submissions.map(\.segment.count) == [1, 3])
        try connection.commitFirst()
        try connection.commitFirst()
        #expect(try connection.replies() == ":1\r\n:1\r\n:2\r\n:3\r\n")
    }

    @Test func `a first one that was lost is executed by its repetition`() throws {
        let connection = try connectionWithSession()
        try connection.send("ROOST.ONCE 1-0 1 INCR n\r\n")
        connection.backend.fail(at: 0, .inDoubt)
        connection.channel.embeddedEventLoop.run()
        #expect(try connection.replies().hasPrefix("-INDOUBT "))
        try connection.send("ROOST.ONCE 1-0 1 INCR n\r\n")
        try connection.commitFirst()
        #expect(try connection.replies() == ":1\r\n")
    }

    @Test func `the words of sessions stand first on the line`() throws {
        let connection = try connectionWithSession(" WINDOW 1 IDLE 5")
        try connection.send("ROOST.ONCE 1-0 2 INCR n\r\nROOST.ONCE 1-0 1 INCR n\r\nROOST.ONCE 1-1 1 INCR n\r\n")
        try connection.send("ROOST.SESSION CLOSE 1-0\r\nROOST.SESSION CLOSE 1-0\r\nROOST.ONCE 1-0 2 INCR n\r\n")
        try connection.commitFirst()
        try connection.commitFirst()
        let lines = try connection.replies().split(separator: "\r\n")
        let words = lines.map { $0.split(separator: " ")[0] }
        #expect(words == [":1", "-STALEREQ", "-NOSESSION", ":1", ":0", "-NOSESSION"])
        for line in [lines[1], lines[2]] { #expect(line.contains("did nothing, an earlier one with")) }
    }

    @Test func `an old value that a session can't keep is refused with the limit`() throws {
        let connection = try connectionWithSession()
        let long = String(repeating: "x", count: 8193)
        try connection.send("SET k \(long)\r\nROOST.ONCE 1-0 1 SET k v GET\r\n")
        try connection.commitFirst()
        let replies = try connection.replies()
        #expect(replies.hasPrefix("+OK\r\n-TOOBIG the old value is longer than 8192 bytes"))
        #expect(replies.hasSuffix("command not executed\r\n"))
    }

    @Test func `a SET with GET in a session holds what follows, as outside`() throws {
        let connection = try connectionWithSession()
        try connection.send("ROOST.ONCE 1-0 1 SET k 1 GET\r\nROOST.ONCE 1-0 2 SET k 2\r\n")
        #expect(connection.backend.submissions.map(\.segment.count) == [1])
        try connection.commitFirst()
        try connection.commitFirst()
        #expect(try connection.replies() == "$-1\r\n+OK\r\n")
    }

    @Test func `the commands are documented, with their arities`() throws {
        let connection = try TestConnection()
        try connection.send("COMMAND DOCS ROOST.ONCE ROOST.SESSION\r\nCOMMAND INFO roost.once\r\n")
        let replies = try connection.replies()
        #expect(replies.hasPrefix("*4\r\n$10\r\nroost.once\r\n*4\r\n$7\r\nsummary\r\n"))
        #expect(replies.contains("\r\n$13\r\nroost.session\r\n"))
        #expect(replies.hasSuffix("*1\r\n*6\r\n$10\r\nroost.once\r\n:-4\r\n*1\r\n+write\r\n:0\r\n:0\r\n:0\r\n"))
    }
}
