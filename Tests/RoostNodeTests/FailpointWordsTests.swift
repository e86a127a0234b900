import RaftStorage
import Testing

@testable import RoostNode

@Suite("ROOST.DEBUG FAILPOINT: its words")
struct FailpointWordsTests {
    private func request(_ words: String) throws -> FailpointWords.Request {
        try FailpointWords(words.split(separator: " ").map(String.init)).request
    }

    @Test func `each place has a name of its own that leads back to it`() {
        for place in Failpoint.allCases { #expect(Failpoint(name: place.name) == place) }
        #expect(Set(Failpoint.allCases.map(\.name)).count == Failpoint.allCases.count)
        #expect(Failpoint.logBeforeSync.name == "log-before-sync")
        // One bit of a word for each.
        #expect(Failpoint.allCases.allSatisfy { $0.rawValue < UInt64.bitWidth })
    }

    @Test func `orders`() throws {
        #expect(try request("LIST") == .list)
        #expect(try request("set log-after-sync CRASH") == .set(.init(.logAfterSync, .crash)))
        #expect(try request("SET LOG-AFTER-SYNC crash AFTER 3") == .set(.init(.logAfterSync, .crash, after: 3)))
        #expect(
            try request("SET apply-after pause 20ms after 1")
                == .set(.init(.applyAfter, .pause(.milliseconds(20)), after: 1)))
        #expect(try request("SET flush-before error") == .set(.init(.flushBefore, .error)))
        #expect(try request("SET log-before-sync lose") == .set(.init(.logBeforeSync, .lose)))
        #expect(try request("OFF flush-before") == .off(.flushBefore))
        #expect(try request("off all") == .off(nil))
    }

    @Test(arguments: [
        "", "LIST all", "SET", "SET flush-before", "SET nowhere crash", "SET flush-before burn",
        "SET flush-before pause",
        "SET flush-before pause 20", "SET flush-before crash after", "SET flush-before crash after x",
        "SET flush-before crash before 2", "SET apply-after error", "SET flush-before lose", "OFF", "OFF nowhere",
    ])
    func `everything else is refused`(words: String) {
        #expect(throws: FailpointWords.Refusal.self) { try request(words) }
    }

    @Test func `what is configured is printed as it was written`() throws {
        let format = ValueFormat<[FailpointOrder]>.failpoints
        let text = "log-after-sync crash after 3, flush-before pause 5ms"
        let orders = try #require(format.parse(text))
        #expect(orders == [.init(.logAfterSync, .crash, after: 3), .init(.flushBefore, .pause(.milliseconds(5)))])
        #expect(format.literal(orders) == "\"\(text)\"")
        #expect(format.parse("") == [])
        #expect(format.parse("log-after-sync crash, nowhere crash") == nil)
    }
}
