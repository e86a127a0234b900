import KeyValue
import Logging
import NIOCore
import NIOEmbedded
import RESP
import Testing

@testable import RedisServer

/// One connection over an embedded channel: bytes in, bytes out, no sockets and no time.
final class TestConnection {
    let backend: FakeBackend
    let channel: EmbeddedChannel
    private let server: ServerContext
    private let loop: LoopContext
    private let handler: ConnectionHandler

    init(
        maxPipelinedCommands: Int = 1000, maxPipelinedBytes: Int = 16 << 20, maxWaitingWriteBytes: Int = 1 << 30,
        maxBatchBytes: Int = 1 << 20, version: RESPVersion = .resp2
    ) throws {
        (backend, channel) = (FakeBackend(), EmbeddedChannel())
        let limits = RedisServerLimits(
            request: RequestLimits(), maxKeyBytes: 64, maxClients: 10, maxPipelinedCommands: maxPipelinedCommands,
            maxPipelinedBytes: maxPipelinedBytes, maxWaitingWriteBytes: maxWaitingWriteBytes,
            maxOutputBufferBytes: 1 << 20, maxBatchBytes: maxBatchBytes, parkTimeout: .seconds(2),
            requestTimeout: .seconds(5))
        server = ServerContext(
            backend: backend, limits: limits, metrics: RedisServerMetrics(), logger: Logger(label: "test"))
        loop = LoopContext(
            eventLoop: channel.eventLoop, backend: backend, maxBatchBytes: limits.maxBatchBytes,
            waitingWrites: WaitingWrites(limit: limits.maxWaitingWriteBytes))
        handler = ConnectionHandler(server: server, loop: loop, id: 1)
        handler.version = version
        try connect()
    }

    /// Another client of the same node, on the same event loop.
    init(beside other: TestConnection) throws {
        (backend, server, loop) = (other.backend, other.server, other.loop)
        channel = EmbeddedChannel(loop: other.channel.embeddedEventLoop)
        handler = ConnectionHandler(server: server, loop: loop, id: 2)
        try connect()
    }

    /// What is kept for what is owed to the client.
    var heldBytes: Int { handler.slots.heldBytes }

    private func connect() throws {
        try channel.pipeline.syncOperations.addHandler(handler)
        let address = try SocketAddress(ipAddress: "127.0.0.1", port: 1)
        let connected = channel.connect(to: address)
        channel.embeddedEventLoop.run()
        try connected.wait()
    }

    func send(_ text: String) throws {
        try arrive(text)
        endTurn()
    }

    /// Bytes in, and the turn goes on.
    func arrive(_ text: String) throws { try channel.writeInbound(ByteBuffer(string: text)) }

    func endTurn() { channel.embeddedEventLoop.run() }

    func commitFirst() throws {
        try backend.commitFirst()
        channel.embeddedEventLoop.run()
    }

    func confirmReads() {
        backend.confirmReads()
        channel.embeddedEventLoop.run()
    }

    /// Everything that has left since the last call.
    func replies() throws -> String {
        var text = ""
        while let buffer = try channel.readOutbound(as: ByteBuffer.self) { text += String(buffer: buffer) }
        return text
    }
}

@Suite("A connection's effects and replies come in program order")
struct ConnectionOrderTests {
    @Test func `a read sees the connection's own earlier write`() throws {
        let connection = try TestConnection()
        try connection.send("SET k new\r\nGET k\r\n")
        connection.confirmReads()
        #expect(try connection.replies() == "", "the read waits for the write")
        try connection.commitFirst()
        #expect(try connection.replies() == "+OK\r\n$3\r\nnew\r\n")
    }

    @Test func `a write that follows a read is not handed over before the read is answered`() throws {
        let connection = try TestConnection()
        try connection.send("GET k\r\nSET k later\r\nGET k\r\n")
        #expect(connection.backend.submissions.isEmpty)
        connection.confirmReads()
        #expect(try connection.replies() == "$-1\r\n")
        #expect(connection.backend.submissions.count == 1)
        try connection.commitFirst()
        connection.confirmReads()
        #expect(try connection.replies() == "+OK\r\n$5\r\nlater\r\n")
    }

    @Test func `local answers wait for what was asked before`() throws {
        let connection = try TestConnection()
        try connection.send("PING\r\nINCR n\r\nPING\r\nINCR n\r\nECHO end\r\n")
        #expect(try connection.replies() == "+PONG\r\n")
        try connection.commitFirst()
        #expect(try connection.replies() == ":1\r\n+PONG\r\n:2\r\n$3\r\nend\r\n")
    }

    @Test func `commands of one turn share a segment, those of the next have their own`() throws {
        let connection = try TestConnection()
        try connection.send("SET a 1\r\nSET b 2\r\n")
        try connection.send("SET c 3\r\n")
        #expect(connection.backend.submissions.map(\.segment.count) == [2, 1])
    }

    @Test func `a later ticket that fails first is answered in its place`() throws {
        let connection = try TestConnection()
        try connection.send("SET a 1\r\n")
        try connection.send("SET b 2\r\n")
        connection.backend.fail(at: 1, .noLeader)
        connection.channel.embeddedEventLoop.run()
        #expect(try connection.replies() == "")
        try connection.commitFirst()
        let replies = try connection.replies()
        #expect(replies.hasPrefix("+OK\r\n-LOADING no leader for 2000 ms"))
        #expect(replies.hasSuffix("command not executed, try again\r\n"))
    }

    @Test func `reads without a leader are answered, and the connection goes on`() throws {
        let connection = try TestConnection()
        try connection.send("GET a\r\nMGET a b\r\nSET a 1\r\n")
        connection.backend.failReads()
        connection.channel.embeddedEventLoop.run()
        #expect(try connection.replies().split(separator: "\r\n").allSatisfy { $0.hasPrefix("-LOADING") })
        try connection.commitFirst()
        #expect(try connection.replies() == "+OK\r\n")
    }

    @Test func `while this node decides alone a read is answered at once`() throws {
        let connection = try TestConnection()
        connection.backend.readsAreLocal = true
        try connection.send("GET a\r\n")
        #expect(try connection.replies() == "$-1\r\n")
        #expect(connection.backend.reads.isEmpty)
    }

    @Test func `a cold read goes to a thread that may wait, in its turn`() throws {
        let connection = try TestConnection()
        try connection.send("SET a 1\r\n")
        try connection.commitFirst()
        connection.backend.isCold = true
        try connection.send("GET a\r\nPING\r\n")
        connection.confirmReads()
        #expect(try connection.replies() == "+OK\r\n")
        connection.backend.runBlockingWork()
        connection.channel.embeddedEventLoop.run()
        #expect(try connection.replies() == "$1\r\n1\r\n+PONG\r\n")
    }

    @Test func `no more than the limit of commands waits, and all are answered`() throws {
        let connection = try TestConnection(maxPipelinedCommands: 4)
        try connection.send((1...10).map { _ in "INCR n\r\n" }.joined())
        #expect(connection.backend.submissions.map(\.segment.count) == [4])
        for _ in 0..<3 { try connection.commitFirst() }
        #expect(try connection.replies() == (1...10).map { ":\($0)\r\n" }.joined())
    }

    @Test func `QUIT and protocol errors end the connection after what is owed`() throws {
        for (bytes, end) in [("QUIT\r\n", "+OK\r\n"), ("*1\r\n!", "-ERR Protocol error: expected '$', got '!'\r\n")] {
            let connection = try TestConnection()
            try connection.send("SET a 1\r\n" + bytes + "PING\r\n")
            #expect(connection.channel.isActive)
            try connection.commitFirst()
            #expect(try connection.replies() == "+OK\r\n" + end)
            #expect(!connection.channel.isActive)
        }
    }

    @Test func `outcomes for a connection that is gone are dropped`() throws {
        let connection = try TestConnection()
        try connection.send("SET a 1\r\n")
        _ = try connection.channel.finish(acceptAlreadyClosed: true)
        try connection.commitFirst()
    }
}

@Suite("Commands and their replies")
struct CommandReplyTests {
    @Test func `before recovery is done data is not answered, questions about the node are`() throws {
        let connection = try TestConnection()
        connection.backend.isReady = false
        try connection.send("PING\r\nGET a\r\nSET a 1\r\nSELECT 0\r\n")
        let lines = try connection.replies().split(separator: "\r\n")
        #expect(lines.map { $0.prefix(8) } == ["-LOADING", "-LOADING", "-LOADING", "+OK"])
    }

    @Test(arguments: [
        ("SET k v EX 5", "-ERR keys do not expire in this version: SET takes NX, XX, IFEQ and GET"),
        ("SET k v NX XX", "-ERR syntax error"), ("SET k v IFEQ", "-ERR syntax error"),
        ("SET k", "-ERR wrong number of arguments for 'set' command"),
        ("MSET a 1 b", "-ERR wrong number of arguments for 'mset' command"),
        ("INCRBY k x", "-ERR value is not an integer or out of range"),
        ("SELECT 1", "-ERR DB index is out of range: there is only database 0"),
        ("NOPE a b", "-ERR unknown command 'NOPE', with args beginning with: 'a' 'b' "),
        ("CLIENT NOPE", "-ERR unknown subcommand 'NOPE'. Try COMMAND DOCS CLIENT."),
        ("HELLO 4", "-NOPROTO unsupported protocol version"), ("FLUSHALL NOW", "-ERR syntax error"),
        ("CLIENT ID", ":1"), ("COMMAND COUNT", ":28"), ("ECHO hi", "$2\r\nhi"),
    ])
    func `is answered at once`(command: String, reply: String) throws {
        let connection = try TestConnection()
        try connection.send(command + "\r\n")
        #expect(try connection.replies() == reply + "\r\n")
        #expect(connection.backend.submissions.isEmpty)
    }

    @Test func `a key over the limit is refused by name`() throws {
        let connection = try TestConnection()
        try connection.send("SET \(String(repeating: "k", count: 65)) v\r\n")
        #expect(try connection.replies() == "-TOOBIG key 65 bytes > max-key-bytes 64\r\n")
    }

    @Test func `conditional SETs answer as Redis and Valkey do`() throws {
        let connection = try TestConnection()
        try connection.send("SET k 1 NX\r\nSET k 2 NX\r\nSET k 2 XX GET\r\nSET k 3 IFEQ 1\r\nSET k 3 IFEQ 2\r\n")
        // A SET with GET holds what follows.
        try connection.commitFirst()
        try connection.commitFirst()
        #expect(try connection.replies() == "+OK\r\n$-1\r\n$1\r\n1\r\n$-1\r\n+OK\r\n")
    }

    @Test func `RESP3 has its own null and maps`() throws {
        let connection = try TestConnection()
        try connection.send("HELLO 3 SETNAME me\r\nGET none\r\nCLIENT GETNAME\r\nCONFIG GET databases\r\n")
        connection.confirmReads()
        let replies = try connection.replies()
        #expect(replies.hasPrefix("%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n"))
        #expect(replies.hasSuffix("_\r\n$2\r\nme\r\n%1\r\n$9\r\ndatabases\r\n$1\r\n1\r\n"))
    }
}

@Suite("Large replies")
struct LargeReplyTests {
    private let big = String(repeating: "x", count: 3 << 20)

    private func connection(withBig key: String) throws -> TestConnection {
        let connection = try TestConnection()
        try connection.send("*3\r\n$3\r\nSET\r\n$3\r\n\(key)\r\n$\(big.utf8.count)\r\n\(big)\r\n")
        try connection.commitFirst()
        #expect(try connection.replies() == "+OK\r\n")
        return connection
    }

    @Test func `a reply beyond the channel's water mark leaves once, and in full before a QUIT closes`() throws {
        let connection = try connection(withBig: "big")
        connection.backend.readsAreLocal = true
        try connection.send("GET big\r\nQUIT\r\n")
        #expect(try connection.replies() == "$\(big.utf8.count)\r\n\(big)\r\n+OK\r\n")
        connection.channel.embeddedEventLoop.run()
        #expect(!connection.channel.isActive)
    }

    @Test func `a connection is owed one old value at a time`() throws {
        let connection = try TestConnection()
        try connection.send("SET k 1 GET\r\nSET k 2 GET\r\nSET k 3\r\nSET k 4\r\n")
        #expect(connection.backend.submissions.map(\.segment.count) == [1])
        try connection.commitFirst()
        #expect(connection.backend.submissions.map(\.segment.count) == [1])
        try connection.commitFirst()
        #expect(connection.backend.submissions.map(\.segment.count) == [2])
        try connection.commitFirst()
        #expect(try connection.replies() == "$-1\r\n$1\r\n1\r\n+OK\r\n+OK\r\n")
    }
}
