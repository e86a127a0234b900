import RESP
import Testing

@Suite("Requests: inline commands, quoted by the rules of Redis' sdssplitargs")
struct InlineCommandTests {
    @Test(arguments: [
        ("PING", ["PING"]),
        ("  SET  a\tb  ", ["SET", "a", "b"]),
        ("set \u{0B}\u{0C} a", ["set", "a"]),
        ("a\u{0B}b", ["a\u{0B}b"]),
        (#"SET k "a b""#, ["SET", "k", "a b"]),
        (#"SET k 'a b'"#, ["SET", "k", "a b"]),
        (#"SET k """#, ["SET", "k", ""]),
        (#"SET k ''"#, ["SET", "k", ""]),
        (#""\x41\x6a\xfF" x"#, ["Aj\u{FF}", "x"]),
        (#""\n\r\t\b\a\\\"\q""#, ["\n\r\t\u{08}\u{07}\\\"q"]),
        (#""\x4" "\xg1""#, ["x4", "xg1"]),
        (#"'\n\'x'"#, [#"\n'x"#]),
        (#"foo"bar baz" x"#, ["foobar baz", "x"]),
        (#"foo'bar' x"#, ["foobar", "x"]),
        (#"a\ b"#, ["a\\", "b"]),
        ("a\u{0}b \"\u{0}\"", ["a\u{0}b", "\u{0}"]),
        ("'a'\rb", ["a", "b"]),
    ])
    func `a line splits into arguments`(_ line: String, _ arguments: [String]) {
        let latin1 = line.unicodeScalars.map { UInt8($0.value) }
        for end in ["\n", "\r\n"] {
            for step in [1, .max] {
                #expect(parse(latin1 + Array(end.utf8), step: step) == Parsed(items: [.command(arguments)]))
            }
        }
    }

    @Test(arguments: [
        #""abc"#, #"'abc"#, #""abc\""#, #"'abc\'"#, #"'\\'"#, #""a"b"#, #"'a'b"#, #""a"'b'"#, #"x "a\"#,
    ])
    func `unbalanced quotes are refused`(_ line: String) {
        #expect(parse(line + "\r\n") == Parsed(failure: .unbalancedQuotes))
    }

    @Test func `inline and array requests follow each other`() {
        let sent = "SET a 'x y'\r\n*1\r\n$4\r\nPING\r\nGET a\n"
        let expected: [Parsed.Item] = [.command(["SET", "a", "x y"]), .command(["PING"]), .command(["GET", "a"])]
        for step in [1, 4, .max] { #expect(parse(sent, step: step) == Parsed(items: expected)) }
    }
}
