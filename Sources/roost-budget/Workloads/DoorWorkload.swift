import Logging
import NIOCore
import NIOEmbedded
import RESP
import RedisServer

/// One connection that sends the same command again and again, and takes the replies.
struct DoorWorkload {
    private let member: Member
    private let backend: MemberBackend
    private let channel = EmbeddedChannel()
    private let request: ByteBuffer
    private let perTurn: Int
    /// Of one turn.
    private let replyBytes: Int

    init(_ command: [String], perTurn: Int) throws {
        self.perTurn = perTurn
        member = try Member(1, of: [1])
        backend = MemberBackend(member)
        let limits = RedisServerLimits(
            request: RequestLimits(), maxKeyBytes: 1 << 10, maxClients: 1, maxPipelinedCommands: 1 << 10,
            maxPipelinedBytes: 1 << 24, maxWaitingWriteBytes: 1 << 24, maxOutputBufferBytes: 1 << 20,
            maxBatchBytes: 1 << 20, parkTimeout: .seconds(2), requestTimeout: .seconds(5))
        try channel.pipeline.syncOperations.addHandler(
            RedisServer.makeHandler(
                backend: backend, limits: limits, eventLoop: channel.eventLoop, logger: Logger(label: "budget")))
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        try member.work()
        request = Self.encode(command, times: perTurn)
        member.engine.stopKeeping()
        replyBytes = try Self.turn(request, channel, backend)
    }

    func run(_ operations: Int) throws {
        for _ in 0..<(operations + perTurn - 1) / perTurn {
            let bytes = try Self.turn(request, channel, backend)
            guard bytes == replyBytes, bytes > 0 else {
                throw BudgetError("\(bytes) bytes answered, not \(replyBytes)")
            }
        }
    }

    private static func encode(_ command: [String], times: Int) -> ByteBuffer {
        var text = ""
        for _ in 0..<times {
            text += "*\(command.count)\r\n"
            for argument in command { text += "$\(argument.utf8.count)\r\n\(argument)\r\n" }
        }
        return ByteBuffer(string: text)
    }

    private static func turn(
        _ request: ByteBuffer, _ channel: EmbeddedChannel, _ backend: MemberBackend
    ) throws -> Int {
        try channel.writeInbound(request)
        channel.embeddedEventLoop.run()
        try backend.turn()
        channel.embeddedEventLoop.run()
        var bytes = 0
        while let reply = try channel.readOutbound(as: ByteBuffer.self) { bytes += reply.readableBytes }
        return bytes
    }
}
