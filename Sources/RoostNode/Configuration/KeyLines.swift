/// On which line of a TOML document each key stands; the parser does not tell. Only ever used to point a person at the
/// right place, after the parser has accepted the document: it knows headers, bare, quoted and dotted keys, and skips
/// multi-line strings; inside of inline tables it knows the line of the table.
struct KeyLines: Sendable {
    private var lines: [String: Int] = [:]

    init(_ document: String) {
        var section: [String] = []
        var openString: String?
        // A carriage return and a line feed are one character.
        let texts = document.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
        for (offset, line) in texts.enumerated() {
            if let quotes = openString {
                if line.contains(quotes) { openString = nil }
                continue
            }
            let text = line.drop { $0 == " " || $0 == "\t" }
            if text.first == "[" {
                section = Self.keys(text.drop { $0 == "[" }, until: "]").path
                note(section, offset + 1)
            } else if let first = text.first, first != "#" {
                let (path, rest) = Self.keys(text, until: "=")
                note(section + path, offset + 1)
                openString = ["\"\"\"", "'''"].first { rest.components(separatedBy: $0) == 2 }
            }
        }
    }

    /// The line, from 1, of the key or of the nearest table around it that has one.
    func line(of path: [String]) -> Int? {
        for count in stride(from: path.count, to: 0, by: -1) {
            if let line = lines[path.prefix(count).joined(separator: "\u{0}")] { return line }
        }
        return nil
    }

    private mutating func note(_ path: [String], _ line: Int) {
        // Every prefix too: the section of a dotted key has no header of its own.
        for count in 1..<(path.count + 1) where !path.isEmpty {
            let key = path.prefix(count).joined(separator: "\u{0}")
            if lines[key] == nil { lines[key] = line }
        }
    }

    /// Splits `a."b.c".d = …` at the dots outside of quotes; also returns what follows the terminator.
    private static func keys(_ text: Substring, until end: Character) -> (path: [String], rest: Substring) {
        var path: [String] = []
        var current = ""
        var quote: Character?
        var index = text.startIndex
        while index < text.endIndex {
            let character = text[index]
            index = text.index(after: index)
            switch (character, quote) {
            case (let c, let q?) where c == q: quote = nil
            case (let c, _?): current.append(c)
            case ("\"", nil), ("'", nil): quote = character
            case (" ", nil), ("\t", nil): break
            case (".", nil):
                path.append(current)
                current = ""
            case (end, nil): return (path + [current], text[index...])
            case (let c, nil): current.append(c)
            }
        }
        return (path + [current], "")
    }
}

extension Substring {
    /// In how many parts `separator` cuts this text.
    fileprivate func components(separatedBy separator: String) -> Int {
        split(separator: separator, omittingEmptySubsequences: false).count
    }
}
