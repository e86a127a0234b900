import Foundation

/// How much of a suite is run.
enum CrashForm: String {
    /// All suites together in a few minutes of a slow machine.
    case short
    case long

    /// What `ROOST_CRASH` says.
    static let current = ProcessInfo.processInfo.environment["ROOST_CRASH"].flatMap { CrashForm(rawValue: $0) }

    static func pick<T>(short: T, long: T) -> T { current == .long ? long : short }

    /// Where the random choices of this run begin; printed with each failure's round.
    static let seed = ProcessInfo.processInfo.environment["ROOST_CRASH_SEED"].flatMap { UInt64($0) } ?? 1
}

/// Says every twentieth time how far a loop is.
func sayProgress(_ what: String, _ done: Int, of all: Int) {
    if done > 0, done.isMultiple(of: 20), done < all { say("    \(what): \(done) of \(all)") }
}

/// Shows how far a long run is, at once.
func say(_ line: String) {
    FileHandle.standardError.write(Data((line + "\n").utf8))
}
