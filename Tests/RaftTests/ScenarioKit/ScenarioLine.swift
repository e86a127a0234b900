/// One line of a scenario or a table: words, and `key=value` options in any place. `#` begins a comment.
///
/// Whoever executes a line takes words and options off it; what is left at the end is an error, so that a slip of the
/// pen is never read as "no option".
struct ScenarioLine {
    let file: String
    let number: Int
    let text: String
    private(set) var words: [String]
    private var options: [(key: String, value: String)]

    /// - Returns: `nil` for a line without content.
    init?(file: String, number: Int, text raw: Substring) {
        let content = raw.prefix { $0 != "#" }
        let tokens = content.split(whereSeparator: \.isWhitespace).map(String.init)
        guard !tokens.isEmpty else { return nil }
        self.file = file
        self.number = number
        text = tokens.joined(separator: " ")
        words = tokens.filter { !$0.contains("=") }
        options = tokens.filter { $0.contains("=") }.map { token in
            let parts = token.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (String(parts[0]), String(parts[1]))
        }
    }

    /// All lines of a text that have content.
    static func all(of text: String, file: String) -> [ScenarioLine] {
        text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().compactMap {
            ScenarioLine(file: file, number: $0.offset + 1, text: $0.element)
        }
    }

    func failure(_ expected: String, found: String) -> ScenarioFailure {
        ScenarioFailure(file: file, line: number, expected: expected, found: found)
    }

    // MARK: Taking off

    var hasWords: Bool { !words.isEmpty }
    var hasOptions: Bool { !options.isEmpty }

    mutating func word(_ what: String) throws(ScenarioFailure) -> String {
        guard hasWords else { throw failure(what, found: "the end of the line") }
        return words.removeFirst()
    }

    mutating func allWords() -> [String] {
        defer { words = [] }
        return words
    }

    /// - Returns: the value of the option; `nil` when it is not there.
    mutating func option(_ key: String) throws(ScenarioFailure) -> String? {
        guard let place = options.firstIndex(where: { $0.key == key }) else { return nil }
        let value = options.remove(at: place).value
        guard !options.contains(where: { $0.key == key }) else { throw failure("one \(key)=", found: "two") }
        return value
    }

    mutating func allOptions() -> [(key: String, value: String)] {
        defer { options = [] }
        return options
    }

    /// Fails unless everything was taken.
    func finish() throws(ScenarioFailure) {
        if let word = words.first { throw failure("the end of the line", found: "\"\(word)\"") }
        if let option = options.first { throw failure("a known option", found: "\"\(option.key)=\"") }
    }
}
