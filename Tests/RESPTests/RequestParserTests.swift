import RESP
import Testing

@Suite("Requests: arrays of bulk strings")
struct RequestParserTests {
    struct Example: Sendable, CustomTestStringConvertible {
        var sent: String
        var items: [Parsed.Item]
        var unread = 0
        var testDescription: String { sent.debugDescription }
    }

    static let examples = [
        Example(sent: "*1\r\n$4\r\nPING\r\n", items: [.command(["PING"])]),
        Example(sent: "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", items: [.command(["GET", "k"])]),
        Example(sent: "*2\r\n$0\r\n\r\n$2\r\n\r\n\r\n", items: [.command(["", "\r\n"])]),
        Example(sent: "*0\r\n", items: [.command([])]),
        Example(sent: "*-1\r\n*1\r\n$1\r\na\r\n", items: [.command([]), .command(["a"])]),
        Example(
            sent: "*1\r\n$1\r\na\r\n*1\r\n$1\r\nb\r\n*1\r\n$1\r\n",
            items: [.command(["a"]), .command(["b"])], unread: 8),
        Example(
            sent: "PING\r\n*1\r\n$1\r\na\r\n{\"Get\":1}\r\n",
            items: [.command(["PING"]), .command(["a"]), .json("{\"Get\":1}")]),
        Example(sent: "{}\n{a", items: [.json("{}")], unread: 2),
        Example(sent: "\r\n\nPING\n", items: [.command([]), .command([]), .command(["PING"])]),
        Example(sent: "", items: []),
    ]

    @Test(arguments: examples) func `a connection's bytes become its requests, in whatever pieces they arrive`(
        _ example: Example
    ) {
        let expected = Parsed(items: example.items, unread: example.unread)
        for step in [1, 2, 3, 5, 7, .max] { #expect(parse(example.sent, step: step) == expected, "step \(step)") }
    }

    @Test(arguments: [
        ("*\r\n", ProtocolFailure.invalidMultibulkLength),
        ("*x\r\n", .invalidMultibulkLength),
        ("*+1\r\n", .invalidMultibulkLength),
        ("* 1\r\n", .invalidMultibulkLength),
        ("*01\r\n", .invalidMultibulkLength),
        ("*-0\r\n", .invalidMultibulkLength),
        ("*1\n", .invalidMultibulkLength),
        ("*1\rx", .invalidMultibulkLength),
        ("*2147483648\r\n", .invalidMultibulkLength),
        ("*99999999999", .invalidMultibulkLength),
        ("*1\r\n:1\r\n", .expectedBulk(got: UInt8(ascii: ":"))),
        ("*1\r\n$\r\n", .invalidBulkLength),
        ("*1\r\n$-1\r\n", .invalidBulkLength),
        ("*1\r\n$1x\r\n", .invalidBulkLength),
        ("*1\r\n$99999999999999999999\r\n", .invalidBulkLength),
        ("*1\r\n$1\r\nab\r\n", .missingBulkEnd),
        ("*1\r\n$1\r\na\n\n", .missingBulkEnd),
    ])
    func `what is no request is refused, whole or in pieces`(_ sent: String, _ failure: ProtocolFailure) {
        for step in [1, 2, .max] {
            #expect(parse("*1\r\n$1\r\na\r\n" + sent, step: step) == Parsed(items: [.command(["a"])], failure: failure))
        }
    }

    @Test func `a failed parser stays failed`() {
        var parser = RequestParser()
        let bad = Array("*x\r\n".utf8)
        let good = Array("PING\r\n".utf8)
        #expect(bad.withUnsafeBytes { parser.parse($0) } == .failure(.invalidMultibulkLength))
        #expect(good.withUnsafeBytes { parser.parse($0) } == .failure(.invalidMultibulkLength))
    }

    @Test(arguments: [
        (ProtocolFailure.invalidMultibulkLength, "ERR Protocol error: invalid multibulk length"),
        (.invalidBulkLength, "ERR Protocol error: invalid bulk length"),
        (.expectedBulk(got: UInt8(ascii: "x")), "ERR Protocol error: expected '$', got 'x'"),
        (.expectedBulk(got: 0x0D), "ERR Protocol error: expected '$', got '\\x0d'"),
        (.missingBulkEnd, "ERR Protocol error: expected CRLF after a bulk string"),
        (.unbalancedQuotes, "ERR Protocol error: unbalanced quotes in request"),
        (.inlineTooLong, "ERR Protocol error: too big inline request"),
        (.tooManyArguments(count: 9, limit: 8), "TOOBIG 9 arguments > max-arguments 8"),
        (.argumentTooLong(bytes: 9, limit: 8), "TOOBIG value 9 bytes > max-value-bytes 8"),
        (.requestTooLong(bytes: 9, limit: 8), "TOOBIG request 9 bytes > max-request-bytes 8"),
    ])
    func `failures have the texts that Redis users know`(_ failure: ProtocolFailure, _ message: String) {
        #expect(failure.message == message)
    }

    static let limits = RequestLimits(maxArguments: 3, maxBulkBytes: 10, maxInlineBytes: 8, maxRequestBytes: 40)

    @Test(arguments: [
        ("*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n", Parsed(items: [.command(["a", "b", "c"])])),
        ("*4\r\n", Parsed(failure: .tooManyArguments(count: 4, limit: 3))),
        ("*1\r\n$10\r\n0123456789\r\n", Parsed(items: [.command(["0123456789"])])),
        ("*1\r\n$11\r\n", Parsed(failure: .argumentTooLong(bytes: 11, limit: 10))),
        (
            "*3\r\n$9\r\n012345678\r\n$9\r\n012345678\r\n$1\r\na\r\n",
            Parsed(failure: .requestTooLong(bytes: 41, limit: 40))
        ),
        (
            "*3\r\n$9\r\n012345678\r\n$9\r\n012345678\r\n$0\r\n\r\n",
            Parsed(items: [.command(["012345678", "012345678", ""])])
        ),
        ("12345678\r\n", Parsed(items: [.command(["12345678"])])),
        ("12345678\n", Parsed(items: [.command(["12345678"])])),
        ("123456789\n", Parsed(failure: .inlineTooLong)),
        ("123456789\r\n", Parsed(failure: .inlineTooLong)),
        ("1234567890", Parsed(failure: .inlineTooLong)),
        ("a b c d\n", Parsed(failure: .tooManyArguments(count: 4, limit: 3))),
        ("{\"a\":12}\r\n", Parsed(items: [.json("{\"a\":12}")])),
        ("{\"a\":123}\r\n", Parsed(failure: .inlineTooLong)),
    ])
    func `limits hold to the byte`(_ sent: String, _ expected: Parsed) {
        for step in [1, 3, .max] { #expect(parse(sent, step: step, limits: Self.limits) == expected, "step \(step)") }
    }

    @Test func `the hint names the bytes that the current argument needs`() {
        var parser = RequestParser()
        let sent = Array("*2\r\n$1000\r\nabc".utf8)
        let hint = sent.withUnsafeBytes { parser.parse($0) }
        #expect(hint == .needMore(minimumTotalBytes: "*2\r\n$1000\r\n".utf8.count + 1002))
        let isInside = parser.isInsideRequest
        #expect(isInside)
    }

    @Test func `between requests a parser is inside none`() {
        var parser = RequestParser()
        let request = Array("*1\r\n$1\r\na\r\n".utf8)
        var isInside = [parser.isInsideRequest]
        #expect(request[..<5].withUnsafeBytes { parser.parse($0) } == .needMore(minimumTotalBytes: 6))
        isInside.append(parser.isInsideRequest)
        #expect(request.withUnsafeBytes { parser.parse($0) } == .command(consumed: request.count))
        isInside.append(parser.isInsideRequest)
        let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
        #expect(parser.parse(nothing) == .needMore(minimumTotalBytes: 1))
        isInside.append(parser.isInsideRequest)
        #expect(isInside == [false, true, false, false])
    }

    /// Parsing from the front at each byte would need 10^11 steps here.
    @Test(.timeLimit(.minutes(5)))
    func `a request of 100,000 arguments that dribbles in byte by byte costs each byte once`() {
        let keys = (0..<99_999).map { String($0) }
        var sent = ByteArraySink()
        sent.writeRequest(["MSET"] + keys)
        let limits = RequestLimits(maxArguments: 100_000)
        #expect(parse(sent.bytes, step: 1, limits: limits) == Parsed(items: [.command(["MSET"] + keys)]))
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func `garbage ends in requests, a wait for more or a failure, never in a crash`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let alphabet = Array("*$-+0123456789\r\n\r\n\"'\\x{ ab\0".utf8) + [0xFF]
        let limits = RequestLimits(maxArguments: 20, maxBulkBytes: 30, maxInlineBytes: 40, maxRequestBytes: 100)
        for _ in 0..<50 {
            let sent = (0..<Int.random(in: 0..<80, using: &random)).map { _ in alphabet.randomElement(using: &random)! }
            let whole = parse(sent, limits: limits)
            #expect(parse(sent, step: 1, limits: limits) == whole, "\(sent)")
        }
    }

    @Test(arguments: 0..<50 as Range<UInt64>) func `a damaged request never yields more than its bytes`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var sink = ByteArraySink()
        for _ in 0..<4 {
            let value = String(repeating: "v", count: Int.random(in: 0..<40, using: &random))
            sink.writeRequest(["SET", "key", value])
        }
        for _ in 0..<100 {
            var damaged = sink.bytes
            damaged[Int.random(in: 0..<damaged.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            let whole = parse(damaged)
            #expect(parse(damaged, step: 3) == whole)
        }
    }
}
