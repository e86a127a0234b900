import NIOCore
import RESP
import Testing

@testable import RedisServer

@Suite("The reply of a GET is written in one piece")
struct ReplyBufferTests {
    @Test(arguments: [0, 1, 9, 10, 11, 99, 100, 101, 999, 1000, 65_535, 65_536, 1_000_000])
    func `a bulk string looks as the plain writer makes it`(count: Int) {
        let value = [UInt8](repeating: UInt8(ascii: "v"), count: count)
        var (buffer, plain) = (ReplyBuffer(), ByteArraySink())
        value.withUnsafeBytes { value in
            buffer.writeOK()
            plain.writeOK()
            buffer.writeBulk(value)
            plain.writeBulk(value)
            buffer.writeInteger(7)
            plain.writeInteger(7)
        }
        #expect(Array(buffer.buffer.readableBytesView) == plain.bytes)
    }
}
