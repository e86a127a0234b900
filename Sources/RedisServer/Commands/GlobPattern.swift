/// Redis' glob patterns: `*`, `?`, `[abc]`, `[a-z]`, `[^a]` and `\` before a literal character.
///
/// Runs in the product of the lengths at worst: only the last `*` is ever gone back to.
enum GlobPattern {
    static func matches(_ pattern: String, _ text: String) -> Bool {
        matches(Array(pattern.utf8), Array(text.utf8))
    }

    private static func matches(_ pattern: [UInt8], _ text: [UInt8]) -> Bool {
        var patternAt = 0
        var textAt = 0
        var star: (pattern: Int, text: Int)?
        while textAt < text.count {
            if patternAt < pattern.count, pattern[patternAt] == UInt8(ascii: "*") {
                star = (patternAt, textAt)
                patternAt += 1
            } else if let next = step(pattern, patternAt, text[textAt]) {
                patternAt = next
                textAt += 1
            } else if let last = star {
                star = (last.pattern, last.text + 1)
                patternAt = last.pattern + 1
                textAt = last.text + 1
            } else {
                return false
            }
        }
        return pattern[patternAt...].allSatisfy { $0 == UInt8(ascii: "*") }
    }

    /// Where the pattern goes on when its element at `at` matches `byte`.
    private static func step(_ pattern: [UInt8], _ at: Int, _ byte: UInt8) -> Int? {
        guard at < pattern.count else { return nil }
        switch pattern[at] {
        case UInt8(ascii: "?"): return at + 1
        case UInt8(ascii: "["): return stepClass(pattern, at + 1, byte)
        case UInt8(ascii: "\\") where at + 1 < pattern.count: return pattern[at + 1] == byte ? at + 2 : nil
        default: return pattern[at] == byte ? at + 1 : nil
        }
    }

    private static func stepClass(_ pattern: [UInt8], _ start: Int, _ byte: UInt8) -> Int? {
        var at = start
        let isNegated = at < pattern.count && pattern[at] == UInt8(ascii: "^")
        if isNegated { at += 1 }
        var isMember = false
        while at < pattern.count, pattern[at] != UInt8(ascii: "]") {
            if pattern[at] == UInt8(ascii: "\\"), at + 1 < pattern.count { at += 1 }
            if at + 2 < pattern.count, pattern[at + 1] == UInt8(ascii: "-"), pattern[at + 2] != UInt8(ascii: "]") {
                let bounds = (pattern[at], pattern[at + 2])
                if (min(bounds.0, bounds.1)...max(bounds.0, bounds.1)).contains(byte) { isMember = true }
                at += 3
            } else {
                if pattern[at] == byte { isMember = true }
                at += 1
            }
        }
        return isMember != isNegated ? min(at + 1, pattern.count) : nil
    }
}
