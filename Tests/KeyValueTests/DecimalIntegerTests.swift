import KeyValue
import Testing

@Suite("Integers in arguments, as Redis takes them")
struct DecimalIntegerTests {
    @Test(arguments: [
        ("0", 0), ("7", 7), ("-7", -7), ("9223372036854775807", Int64.max), ("-9223372036854775808", .min), ("10", 10),
    ])
    func `is an integer`(text: String, value: Int64) {
        #expect(parse(text) == value)
    }

    @Test(arguments: [
        "", "-", "-0", "+1", "01", " 1", "1 ", "1.0", "a", "9223372036854775808", "-9223372036854775809",
        "99999999999999999999",
    ])
    func `is none`(text: String) {
        #expect(parse(text) == nil)
    }

    private func parse(_ text: String) -> Int64? {
        Array(text.utf8).withUnsafeBytes { DecimalInteger.parse($0) }
    }
}
