import RESP
import Testing

@Suite("Replies as bytes")
struct ReplyWriterTests {
    private func written(_ write: (inout ByteArraySink) -> Void) -> String {
        var sink = ByteArraySink()
        write(&sink)
        return text(sink.bytes)
    }

    @Test func `simple strings and errors are one line, whatever the text holds`() {
        #expect(written { $0.writeSimple("PONG" as StaticString) } == "+PONG\r\n")
        #expect(written { $0.writeOK() } == "+OK\r\n")
        #expect(written { $0.writeSimple("a\r\nb" as String) } == "+a  b\r\n")
        #expect(written { $0.writeError("ERR no\r\n+OK") } == "-ERR no  +OK\r\n")
    }

    @Test(arguments: [
        (0, "0"), (7, "7"), (10, "10"), (-1, "-1"), (1_234_567, "1234567"), (Int64.max, "9223372036854775807"),
        (Int64.min, "-9223372036854775808"),
    ])
    func `integers`(_ value: Int64, _ digits: String) {
        #expect(written { $0.writeInteger(value) } == ":\(digits)\r\n")
    }

    @Test func `bulk strings are binary`() {
        let bytes: [UInt8] = [0, 13, 10, 255]
        #expect(written { sink in bytes.withUnsafeBytes { sink.writeBulk($0) } } == "$4\r\n\0\r\n\u{FF}\r\n")
        #expect(written { $0.writeBulk("") } == "$0\r\n\r\n")
        #expect(written { $0.writeBulk("é") } == "$2\r\n\u{C3}\u{A9}\r\n")
    }

    @Test(arguments: [
        (1.5, "1.5"), (3, "3"), (-0.1, "-0.1"), (.infinity, "inf"), (-.infinity, "-inf"), (.nan, "nan"),
        (1e300, "1e+300"),
    ])
    func `doubles`(_ value: Double, _ digits: String) {
        #expect(written { $0.writeDouble(value, .resp3) } == ",\(digits)\r\n")
        #expect(written { $0.writeDouble(value, .resp2) } == "$\(digits.utf8.count)\r\n\(digits)\r\n")
    }

    @Test func `what RESP3 has types for, RESP2 says with the types it has`() {
        let both = { (write: (inout ByteArraySink, RESPVersion) -> Void) in
            [self.written { write(&$0, .resp2) }, self.written { write(&$0, .resp3) }]
        }
        #expect(both { $0.writeNull($1) } == ["$-1\r\n", "_\r\n"])
        #expect(both { $0.writeBoolean(true, $1) } == [":1\r\n", "#t\r\n"])
        #expect(both { $0.writeBoolean(false, $1) } == [":0\r\n", "#f\r\n"])
        #expect(both { $0.writeVerbatim("é", $1) } == ["$2\r\n\u{C3}\u{A9}\r\n", "=6\r\ntxt:\u{C3}\u{A9}\r\n"])
        #expect(both { $0.writeMapHeader(3, $1) } == ["*6\r\n", "%3\r\n"])
        #expect(both { $0.writeSetHeader(3, $1) } == ["*3\r\n", "~3\r\n"])
        #expect(both { $0.writePushHeader(3, $1) } == ["*3\r\n", ">3\r\n"])
        #expect(written { $0.writeArrayHeader(0) } == "*0\r\n")
    }

    @Test func `requests are arrays of bulk strings`() {
        #expect(written { $0.writeRequest(["GET", "k"]) } == "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n")
        #expect(written { $0.writeRequest([[0x47], []]) } == "*2\r\n$1\r\nG\r\n$0\r\n\r\n")
    }
}
