import RESP
import Testing

@Suite("Replies as a client reads them")
struct ReplyParserTests {
    private func replies(
        _ bytes: [UInt8], step: Int = .max, limits: ReplyLimits = ReplyLimits()
    ) -> (replies: [Reply], failure: ReplyFailure?, isEmpty: Bool) {
        var parser = ReplyParser(limits: limits)
        var replies: [Reply] = []
        var start = 0
        do {
            while start < bytes.count {
                let end = start + min(step, bytes.count - start)
                parser.append(bytes[start..<end])
                start = end
                while let reply = try parser.next() { replies.append(reply) }
            }
            return (replies, nil, parser.isEmpty)
        } catch {
            return (replies, error, parser.isEmpty)
        }
    }

    static let examples: [(String, [Reply])] = [
        ("+OK\r\n", [.simple("OK")]),
        ("+\r\n", [.simple("")]),
        ("-ERR no\r\n", [.error("ERR no")]),
        (":-42\r\n", [.integer(-42)]),
        ("$5\r\na\r\nbc\r\n", [.bulk(Array("a\r\nbc".utf8))]),
        ("$0\r\n\r\n", [.bulk([])]),
        ("$-1\r\n*-1\r\n_\r\n", [.null, .null, .null]),
        ("*0\r\n", [.array([])]),
        (
            "*2\r\n:1\r\n*2\r\n+a\r\n*0\r\n:7\r\n",
            [.array([.integer(1), .array([.simple("a"), .array([])])]), .integer(7)]
        ),
        ("#t\r\n#f\r\n", [.boolean(true), .boolean(false)]),
        (",1.5\r\n,-inf\r\n,3\r\n", [.double(1.5), .double(-.infinity), .double(3)]),
        ("(-123456789012345678901234567890\r\n", [.bigNumber("-123456789012345678901234567890")]),
        ("=8\r\nmkd:# hi\r\n", [.verbatim(format: "mkd", Array("# hi".utf8))]),
        (
            "%2\r\n+a\r\n:1\r\n+b\r\n*0\r\n",
            [.map([.init(.simple("a"), .integer(1)), .init(.simple("b"), .array([]))])]
        ),
        ("~1\r\n+a\r\n", [.set([.simple("a")])]),
        (">2\r\n+invalidate\r\n_\r\n+OK\r\n", [.push([.simple("invalidate"), .null]), .simple("OK")]),
        ("|1\r\n+ttl\r\n:9\r\n$1\r\na\r\n", [.bulk([0x61])]),
        ("*2\r\n|1\r\n+x\r\n*1\r\n:0\r\n:1\r\n|0\r\n:2\r\n", [.array([.integer(1), .integer(2)])]),
        ("%0\r\n~0\r\n>0\r\n", [.map([]), .set([]), .push([])]),
    ]

    @Test(arguments: examples) func `every type, in whatever pieces it arrives`(_ sent: String, _ expected: [Reply]) {
        for step in [1, 2, 3, 7, .max] {
            let (replies, failure, isEmpty) = replies(Array(sent.utf8), step: step)
            #expect(replies == expected, "step \(step)")
            #expect(failure == nil)
            #expect(isEmpty)
        }
    }

    @Test(arguments: examples) func `nothing is returned before its last byte`(_ sent: String, _ expected: [Reply]) {
        let bytes = Array(sent.utf8)
        let (replies, failure, isEmpty) = replies(Array(bytes.dropLast()), step: 1)
        #expect(replies == expected.dropLast())
        #expect(failure == nil)
        #expect(!isEmpty)
    }

    @Test(arguments: [
        ("?\r\n", ReplyFailure.unknownType(UInt8(ascii: "?"))),
        (":\r\n", .malformedLine(type: UInt8(ascii: ":"))),
        (":1x\r\n", .malformedLine(type: UInt8(ascii: ":"))),
        (":9223372036854775808\r\n", .malformedLine(type: UInt8(ascii: ":"))),
        ("#x\r\n", .malformedLine(type: UInt8(ascii: "#"))),
        ("_x\r\n", .malformedLine(type: UInt8(ascii: "_"))),
        (",x\r\n", .malformedLine(type: UInt8(ascii: ","))),
        ("(1.5\r\n", .malformedLine(type: UInt8(ascii: "("))),
        ("(-\r\n", .malformedLine(type: UInt8(ascii: "("))),
        ("+a\rb\r\n", .malformedLine(type: UInt8(ascii: "+"))),
        ("=3\r\ntxt\r\n", .malformedLine(type: UInt8(ascii: "="))),
        ("=-1\r\n", .malformedLength),
        ("$-2\r\n", .malformedLength),
        ("$x\r\n", .malformedLength),
        ("%-1\r\n", .malformedLength),
        ("*9999999999999999999\r\n", .malformedLength),
        ("$1\r\nabc\r\n", .missingBulkEnd),
        ("$9\r\n", .limitExceeded("bulk bytes")),
        ("*5\r\n", .limitExceeded("elements")),
        ("*1\r\n*1\r\n*1\r\n*1\r\n", .limitExceeded("depth")),
        ("+123456789012345678901\r\n", .limitExceeded("line bytes")),
        ("+12345678901234567890123", .limitExceeded("line bytes")),
    ])
    func `what is no reply, or beyond a limit, fails for good`(_ sent: String, _ failure: ReplyFailure) {
        let limits = ReplyLimits(maxBulkBytes: 8, maxElements: 4, maxDepth: 3, maxLineBytes: 20)
        for step in [1, .max] {
            let outcome = replies(Array("+OK\r\n".utf8) + Array(sent.utf8), step: step, limits: limits)
            #expect(outcome.replies == [.simple("OK")])
            #expect(outcome.failure == failure)
        }
        var parser = ReplyParser(limits: limits)
        parser.append(sent.utf8)
        #expect(throws: failure) { try parser.next() }
        parser.append("+OK\r\n".utf8)
        #expect(throws: failure) { try parser.next() }
    }

    @Test func `what the writers write is read back, in both versions`() {
        var sink = ByteArraySink()
        for version in [RESPVersion.resp2, .resp3] {
            sink.writeMapHeader(2, version)
            sink.writeBulk("null")
            sink.writeNull(version)
            sink.writeBulk("list")
            sink.writeArrayHeader(3)
            sink.writeBoolean(true, version)
            sink.writeDouble(0.1, version)
            sink.writeVerbatim("text", version)
        }
        let (null, list) = (Reply.bulk(Array("null".utf8)), Reply.bulk(Array("list".utf8)))
        let texts = [Reply.bulk(Array("0.1".utf8)), .bulk(Array("text".utf8))]
        #expect(
            replies(sink.bytes).replies == [
                .array([null, .null, list, .array([.integer(1)] + texts)]),
                .map([
                    .init(null, .null),
                    .init(list, .array([.boolean(true), .double(0.1), .verbatim(format: "txt", Array("text".utf8))])),
                ]),
            ])
    }

    @Test func `a reply says its text and its error word`() {
        #expect(Reply.error("LOADING no leader").errorWord == "LOADING")
        #expect(Reply.simple("OK").errorWord == nil)
        #expect(Reply.bulk([0x61]).text == "a")
        #expect(Reply.integer(1).text == nil)
    }

    /// Re-reading the array from its start at each byte would need more than 10^10 steps.
    @Test(.timeLimit(.minutes(5))) func `an array of 100,000 elements that dribbles in costs each byte once`() {
        var sink = ByteArraySink()
        sink.writeArrayHeader(100_000)
        for value in 0..<100_000 { sink.writeInteger(value) }
        #expect(replies(sink.bytes, step: 1).replies == [.array((0..<100_000).map { .integer($0) })])
    }

    @Test(arguments: 0..<100 as Range<UInt64>)
    func `garbage never crashes, and pieces make no difference`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let alphabet = Array("+-:$*_#,(=%~>|0123\r\n\r\n\r\nab:".utf8)
        let limits = ReplyLimits(maxBulkBytes: 20, maxElements: 10, maxDepth: 4, maxLineBytes: 30)
        for _ in 0..<50 {
            let sent = (0..<Int.random(in: 0..<60, using: &random)).map { _ in alphabet.randomElement(using: &random)! }
            let (whole, pieces) = (replies(sent, limits: limits), replies(sent, step: 1, limits: limits))
            #expect(whole.replies == pieces.replies, "\(text(sent).debugDescription)")
            #expect(whole.failure == pieces.failure, "\(text(sent).debugDescription)")
        }
    }
}
