import RESP
import Testing

@Suite("Command names in two registers")
struct PackedNameTests {
    private func packed(_ text: String) -> PackedName? { Array(text.utf8).withUnsafeBytes { PackedName($0) } }

    @Test(arguments: ["get", "GET", "gEt"]) func `case does not matter`(_ name: String) {
        #expect(packed(name) == PackedName("GET"))
    }

    @Test func `a name of 16 bytes fits, one of 17 does not, nor an empty one`() {
        #expect(packed("ROOST.SESSIONSXY") == PackedName("roost.sessionsxy"))
        #expect(packed("ROOST.SESSIONSXYZ") == nil)
        #expect(packed("") == nil)
    }

    @Test func `names that differ in any one byte differ`() {
        let base = Array("ABCDEFGHIJKLMNOP".utf8)
        var seen: Set<PackedName?> = [packed("ABCDEFGHIJKLMNOP")]
        for index in base.indices {
            var changed = base
            changed[index] = UInt8(ascii: "_")
            seen.insert(changed.withUnsafeBytes { PackedName($0) })
            seen.insert(base.prefix(index + 1).withUnsafeBytes { PackedName($0) })
        }
        #expect(seen.count == 32)
        #expect(!seen.contains(nil))
    }

    @Test func `only the letters a to z are folded, and a zero byte is no name`() {
        #expect(packed("`{") != packed("@["))
        #expect(packed("GET\0") == nil)
    }

    @Test func `a name can be matched and printed`() {
        switch packed("mget") {
        case PackedName("GET"): Issue.record("GET")
        case PackedName("MGET"): break
        default: Issue.record("nothing")
        }
        #expect(PackedName("roost.getv").description == "ROOST.GETV")
        #expect(PackedName("roost.sessionsxy").description == "ROOST.SESSIONSXY")
    }
}
