import Testing

@testable import RedisServer

@Suite("Glob patterns, as Redis matches them")
struct GlobPatternTests {
    @Test(arguments: [
        ("*", ""), ("*", "save"), ("s?ve", "save"), ("s*e", "save"), ("a*b*c", "aXbYbZc"), ("[ab]x", "bx"),
        ("[a-c]x", "cx"), ("[^a]x", "bx"), ("\\*", "*"), ("max*", "maxclients"), ("", ""), ("a**", "a"),
        ("[c-a]x", "bx"),
    ])
    func matches(pattern: String, text: String) {
        #expect(GlobPattern.matches(pattern, text))
    }

    @Test(arguments: [
        ("", "a"), ("?", ""), ("s?ve", "sve"), ("[ab]x", "cx"), ("[^a]x", "ax"), ("\\*", "a"), ("a*b", "ac"),
        ("[", "a"), ("save", "savex"),
    ])
    func `does not match`(pattern: String, text: String) {
        #expect(!GlobPattern.matches(pattern, text))
    }

    @Test func `many stars cost no exponential time`() {
        let pattern = String(repeating: "a*", count: 40) + "b"
        #expect(!GlobPattern.matches(pattern, String(repeating: "a", count: 400)))
    }
}
