import Testing

@testable import roost_bench

@Suite("Replies are recognised, however they are cut")
struct ReplyMatcherTests {
    /// Every reply of a text that comes in pieces of so many bytes.
    private func replies(_ text: String, pieces: Int) -> [ReplyMatcher.Reply] {
        var matcher = ReplyMatcher()
        var found: [ReplyMatcher.Reply] = []
        let bytes = Array(text.utf8)
        for start in stride(from: 0, to: bytes.count, by: pieces) {
            Array(bytes[start..<min(start + pieces, bytes.count)]).withUnsafeBytes { piece in
                var position = 0
                while let reply = matcher.next(piece, &position) { found.append(reply) }
                #expect(position == piece.count)
            }
        }
        return found
    }

    @Test(arguments: [1, 2, 3, 5, 7, 1_000])
    func `a stream gives the same replies in pieces of any length`(pieces: Int) {
        let text = "+OK\r\n$5\r\nhello\r\n$-1\r\n+OK\r\n:42\r\n:-7\r\n-BUSY try later\r\n$0\r\n\r\n_\r\n+PONG\r\n*1\r\n"
        let expected: [ReplyMatcher.Reply] = [
            .ok, .value(length: 5, head: nil), .nothing, .ok, .integer(42), .integer(-7), .error,
            .value(length: 0, head: nil), .nothing, .unexpected, .unexpected,
        ]
        #expect(replies(text, pieces: pieces) == expected)
    }

    @Test func `the head of a value tells whose it is`() {
        let text = "$9\r\n\u{2A}\0\0\0\0\0\0\0x\r\n"
        #expect(replies(text, pieces: 100) == [.value(length: 9, head: 42)])
        // In pieces the head may be missing, but it is never another one.
        #expect(replies(text, pieces: 6) == [.value(length: 9, head: nil)])
    }

    @Test func `the words of an error are kept`() {
        var matcher = ReplyMatcher()
        Array("-LOADING not yet\r\n".utf8).withUnsafeBytes { bytes in
            var position = 0
            #expect(matcher.next(bytes, &position) == .error)
        }
        #expect(String(decoding: matcher.errorText, as: UTF8.self) == "LOADING not yet")
    }

    @Test func `bytes that are no protocol are no success`() {
        #expect(replies("HTTP/1.1 400\r\n", pieces: 100) == [.unexpected])
        #expect(replies("+OKAY\r\n", pieces: 100) == [.unexpected])
    }
}
