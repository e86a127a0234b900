import Testing

@testable import roost_bench

@Suite("Commands that the load sends")
struct CommandWriterTests {
    @Test func `SET carries the key, and a value that starts with its number`() {
        var writer = CommandWriter(valueBytes: 20, seed: 1)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: writer.maxBytes, alignment: 8)
        defer { buffer.deallocate() }
        let count = writer.writeSet(1_234, to: buffer.baseAddress!)
        let bytes = Array(buffer[..<count])
        let head = Array("*3\r\n$3\r\nSET\r\n$16\r\nkey-000000001234\r\n$20\r\n".utf8)
        #expect(count == head.count + 22)
        #expect(Array(bytes[..<head.count]) == head)
        #expect(Array(bytes[head.count..<head.count + 8]) == [0xD2, 0x04, 0, 0, 0, 0, 0, 0])
        #expect(Array(bytes.suffix(2)) == Array("\r\n".utf8))
    }

    @Test func `GET carries the key`() {
        let writer = CommandWriter(valueBytes: 20, seed: 1)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: writer.maxBytes, alignment: 8)
        defer { buffer.deallocate() }
        let count = writer.writeGet(999_999_999_999, to: buffer.baseAddress!)
        #expect(Array(buffer[..<count]) == Array("*2\r\n$3\r\nGET\r\n$16\r\nkey-999999999999\r\n".utf8))
    }

    @Test func `a put of etcd is a gRPC frame around two fields`() {
        #expect(GRPCBody.range("k") == [0, 0, 0, 0, 3, 0x0A, 1, 0x6B])
        // 1,024 is the varint 0x80 0x08.
        let put = GRPCBody.put("k", valueBytes: 1_024)
        #expect(Array(put.prefix(11)) == [0, 0, 0, 4, 6, 0x0A, 1, 0x6B, 0x12, 0x80, 0x08])
        #expect(put.count == 5 + 1_030)
    }
}
