import Testing

/// The check that the crash tests rest on must itself be able to fail.
@Suite("The ledger of a load sees every broken promise") struct LedgerTests {
    @Test func `a register may hold the acknowledged value or the one in doubt, and nothing else`() {
        let record = RegisterRecord(acknowledged: "a", unknown: "b", refused: ["c"])
        #expect(record.violation(key: "k", found: "a") == nil)
        #expect(record.violation(key: "k", found: "b") == nil)
        #expect(record.violation(key: "k", found: nil) != nil)
        #expect(record.violation(key: "k", found: "c")?.contains("refused") == true)
        #expect(record.violation(key: "k", found: "older") != nil)
    }

    @Test func `a register of which nothing was acknowledged may be absent or in doubt`() {
        let record = RegisterRecord(acknowledged: nil, unknown: "b", refused: ["c"])
        #expect(record.violation(key: "k", found: nil) == nil)
        #expect(record.violation(key: "k", found: "b") == nil)
        #expect(record.violation(key: "k", found: "c") != nil)
    }

    @Test(arguments: [(nil, false), ("4", false), ("5", true), ("7", true), ("8", false), ("x", false)])
    func `a counter lies between acknowledged and acknowledged plus unknown`(found: String?, fine: Bool) {
        let record = CounterRecord(acknowledged: 5, unknown: 2)
        #expect((record.violation(key: "k", found: found) == nil) == fine)
    }

    @Test(arguments: [
        ("1;2;3;", true), ("1;9;2;3;", true), ("9;1;2;3;", true), ("1;3;", false), ("1;2;2;3;", false),
        ("1;3;2;", false), ("1;2;3;4;", false), ("", false),
    ])
    func `a list holds what was acknowledged, once and in order`(found: String, fine: Bool) {
        let record = ListRecord(acknowledged: ["1", "2", "3"], unknown: ["9"])
        #expect((record.violation(key: "k", found: found) == nil) == fine)
    }
}
