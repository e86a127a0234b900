import Foundation

/// How far a run is, on standard error: a bar on a terminal, plain lines elsewhere.
struct Progress {
    let total: Int
    private var done = 0
    private let start = ContinuousClock.now
    private let isTerminal = isatty(2) == 1

    init(total: Int) { self.total = total }

    /// The next step begins.
    mutating func step(_ what: String) {
        let share = Double(done) / Double(max(1, total))
        done += 1
        guard isTerminal else { return Self.say("[\(done)/\(total)] \(what)") }
        Self.write(
            "\r\u{1B}[K\(Self.bar(share, width: 24)) \(Int(share * 100)) %\(remaining(share))  \(what.prefix(90))")
    }

    /// A line that stays.
    func note(_ line: String) {
        if isTerminal { Self.write("\r\u{1B}[K") }
        Self.say(line)
    }

    func end() { if isTerminal { Self.write("\r\u{1B}[K") } }

    /// A line.
    static func say(_ line: String) { write("\(line)\n") }

    static func bar(_ share: Double, width: Int) -> String {
        let full = Int((share * Double(width)).rounded(.down))
        return String(repeating: "█", count: full) + String(repeating: "░", count: width - full)
    }

    private func remaining(_ share: Double) -> String {
        guard share > 0.02 else { return "" }
        let seconds = Int((ContinuousClock.now - start) / .seconds(1) * (1 - share) / share)
        return seconds >= 60 ? ", \(seconds / 60) min left" : ", \(seconds) s left"
    }

    private static func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
