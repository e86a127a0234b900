import ByteCoding
import KeyValue
import Testing

@Suite("State keys and value headers")
struct StateEncodingTests {
    @Test(arguments: [
        (ValueHeader(version: Version(index: 0x0102, ordinal: 3)), "10 0201000000000000 03000000"),
        (
            ValueHeader(version: Version(index: 1, ordinal: 0), expiry: 5),
            "11 0500000000000000 0100000000000000 00000000"
        ),
        (
            ValueHeader(version: Version(index: .max, ordinal: .max), expiry: 0),
            "11 0000000000000000 ffffffffffffffff ffffffff"
        ),
    ])
    func `a header's bytes do not change, and are read back with the value behind them`(
        _ header: ValueHeader, _ bytes: String
    ) throws {
        let encoded = header.withBytes { Bytes(copying: $0) }
        #expect(encoded == unhex(bytes))
        #expect(header.byteCount == encoded.count)
        for value in [[], [1, 2, 3]] as [[UInt8]] {
            try Bytes(encoded.array + value).withUnsafeBytes { stored in
                let decoded = try ValueHeader.decode(stored)
                #expect(decoded.header == header)
                #expect(Array(decoded.value) == value)
            }
        }
        for count in 0..<encoded.count {
            #expect(throws: ValueFormatError.tooShort(bytes: count)) {
                try encoded.slice(0..<count).withUnsafeBytes { _ = try ValueHeader.decode($0) }
            }
        }
    }

    @Test func `a newer format is named as such`() {
        let error = #expect(throws: ValueFormatError.self) {
            try unhex("20").withUnsafeBytes { _ = try ValueHeader.decode($0) }
        }
        #expect(error == .newerVersion(2))
        #expect(error?.description.contains("upgrade") == true)
    }

    @Test func `user keys lie in their group's range, in their own order`() {
        let longest = Bytes([UInt8](repeating: 0xFF, count: 2000))
        let keys: [Bytes] = ["", Bytes([0]), "a", "aa", "b", Bytes([0xFF]), longest]
        let (lower, upper) = StateKey.userRange(group: 7)
        let stored = keys.map { StateKey.user($0, group: 7) }
        #expect(stored == stored.sorted())
        #expect(stored.allSatisfy { lower <= $0 && $0 < upper })
        #expect(AppliedRecord.key(group: 7) < lower)
        #expect(upper < StateKey.userRange(group: 8).lower)
        for key in keys {
            let inPlace = key.withUnsafeBytes { StateKey.withUser($0, group: 0x0102) { Bytes(copying: $0) } }
            #expect(inPlace == StateKey.user(key, group: 0x0102))
        }
        #expect(StateKey.user("k", group: 0x0102) == unhex("0000000000000102 10 6b"))
    }
}
