import Testing

@testable import RoostNode

@Suite("Configuration: how values are written")
struct ConfigurationValueTests {
    @Test(arguments: [
        ("0", 0), ("17", 17), ("512B", 512), ("1KiB", 1024), ("64MiB", 64 << 20), ("3GiB", 3 << 30),
        ("", nil), ("B", nil), ("64M", nil), ("64MB", nil), ("64 MiB", nil), ("-1", nil), ("+1", nil), ("1.5MiB", nil),
        ("0x10", nil), ("9223372036854775807", .max), ("9223372036854775808", nil), ("9007199254740992GiB", nil),
        ("٣", nil),
    ]) func `sizes`(text: String, size: Int?) {
        #expect(ByteSize.parse(text) == size)
    }

    @Test(arguments: [
        (0, "0B"), (1, "1B"), (1000, "1000B"), (1024, "1KiB"), (1536, "1536B"), (5 << 20, "5MiB"), (1 << 40, "1024GiB"),
    ])
    func `sizes are written in the largest unit that is exact`(size: Int, text: String) {
        #expect(ByteSize.text(size) == text)
        #expect(ByteSize.parse(text) == size)
    }

    @Test(
        arguments: [
            ("300ms", .milliseconds(300)), ("5s", .seconds(5)), ("2m", .seconds(120)), ("1h", .seconds(3600)),
            ("7us", .microseconds(7)), ("0ms", .zero), ("300", nil), ("ms", nil), ("", nil), ("1.5s", nil),
            ("-1s", nil),
            ("1 s", nil), ("1S", nil), ("1d", nil), ("9223372036854775807h", nil), ("٣s", nil),
        ] as [(String, Duration?)]) func `durations`(text: String, duration: Duration?)
    {
        #expect(DurationText.parse(text) == duration)
    }

    @Test(
        arguments: [
            (.zero, "0s"), (.seconds(60), "1m"), (.milliseconds(1500), "1500ms"), (.seconds(7200), "2h"),
            (.nanoseconds(1_000_001), "1000001ns"),
        ] as [(Duration, String)]) func `durations are written in the largest unit that is exact`(
            duration: Duration, text: String
        )
    {
        #expect(DurationText.text(duration) == text)
        #expect(DurationText.parse(text) == duration)
    }

    @Test(arguments: [
        ("a:1", "a", 1), ("127.0.0.1:0", "127.0.0.1", 0), ("[::1]:65535", "::1", 65535),
        ("[fe80::1%eth0]:1", "fe80::1%eth0", 1),
    ]) func `addresses`(text: String, host: String, port: Int) throws {
        let address = try #require(HostPort(text))
        #expect(address == HostPort(host: host, port: port))
        #expect("\(address)" == text)
    }

    @Test(arguments: [
        "", ":", "a", "a:", ":1", "a:65536", "a:-1", "a:+1", "a:1 ", " a:1", "::1:6400", "[::1]", "[]:1", "[a:1",
        "a]:1",
        "a:000001", "a\"b:1", "a\n:1", "http://a:1", "a:１",
    ]) func `what is no address`(text: String) {
        #expect(HostPort(text) == nil)
    }

    @Test(arguments: [
        ("localhost:1", true), ("127.0.0.1:1", true), ("127.255.0.9:1", true), ("[::1]:1", true), ("0.0.0.0:1", false),
        ("[::]:1", false), ("127.0.0.1.example:1", false), ("127.0.0:1", false), ("127.0.0.256:1", false),
        ("10.0.0.1:1", false),
    ]) func `what only this machine can reach`(text: String, expected: Bool) throws {
        #expect(try #require(HostPort(text)).isLoopback == expected)
    }

    @Test func `a key is found on its line, in all the ways that it can be written`() {
        let lines = KeyLines(
            """
            # id = 1
            node.id = 1
            [raft]   # comment
              election_timeout = "1s"
            [ "lim.its" ]
            text = \"\"\"
            max = 1
            \"\"\"
            max = 2
            'quoted key' = 3
            [storage]
            inline = { a = 1, b = 2 }
            [[list]]
            a = 1
            """)
        #expect(lines.line(of: ["node", "id"]) == 2)
        #expect(lines.line(of: ["node"]) == 2)
        #expect(lines.line(of: ["raft"]) == 3)
        #expect(lines.line(of: ["raft", "election_timeout"]) == 4)
        #expect(lines.line(of: ["lim.its", "max"]) == 9)
        #expect(lines.line(of: ["lim.its", "quoted key"]) == 10)
        #expect(lines.line(of: ["storage", "inline", "b"]) == 12)
        #expect(lines.line(of: ["list", "a"]) == 14)
        #expect(lines.line(of: ["nothing"]) == nil)
    }

    @Test func `lines may end as they do elsewhere`() {
        #expect(KeyLines("[a]\r\nb = 1\r\n\r\nc = 2\r\n").line(of: ["a", "c"]) == 4)
    }

    @Test func `the distance of two names is the number of edits`() {
        #expect(UnknownName.editDistance("", "abc") == 3)
        #expect(UnknownName.editDistance("kitten", "sitting") == 3)
        #expect(UnknownName.editDistance("same", "same") == 0)
    }
}
