import NIOCore
import NIOEmbedded
import Testing

@testable import RedisServer

@Suite("Replies are put together up to a limit, however long the pipeline")
struct WaitingReplyTests {
    private static let valueBytes = 20_000

    @Test func `no buffer grows beyond the limit and one reply, and every reply comes`() throws {
        let connection = try TestConnection()
        let limit = 512 << 10
        try connection.send("SET k \(String(repeating: "v", count: Self.valueBytes))\r\n")
        try connection.commitFirst()
        #expect(try connection.replies() == "+OK\r\n")
        connection.backend.readsAreLocal = true
        let gets = 200
        try connection.send(String(repeating: "GET k\r\n", count: gets))
        var (bytes, buffers, longest) = (0, 0, 0)
        while let buffer = try connection.channel.readOutbound(as: ByteBuffer.self) {
            bytes += buffer.readableBytes
            buffers += 1
            longest = max(longest, buffer.readableBytes)
        }
        #expect(bytes == gets * (Self.valueBytes + "$20000\r\n\r\n".utf8.count))
        #expect(longest < limit + Self.valueBytes + 100)
        #expect(buffers >= bytes / (limit + Self.valueBytes + 100))
    }

    @Test func `nothing more is taken while the client does not read`() throws {
        let connection = try TestConnection()
        try connection.send("SET k \(String(repeating: "v", count: Self.valueBytes))\r\n")
        try connection.commitFirst()
        _ = try connection.replies()
        connection.backend.readsAreLocal = true
        connection.channel.isWritable = false
        connection.channel.pipeline.fireChannelWritabilityChanged()
        try connection.send(String(repeating: "GET k\r\n", count: 200))
        #expect(try connection.replies() == "")
        connection.channel.isWritable = true
        connection.channel.pipeline.fireChannelWritabilityChanged()
        connection.channel.embeddedEventLoop.run()
        #expect(try connection.replies().utf8.count == 200 * (Self.valueBytes + "$20000\r\n\r\n".utf8.count))
    }
}
