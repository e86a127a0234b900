import Glibc
import RaftStorage

/// Shows on a terminal how far a verification, a list or a repair has come; writes nothing where standard error is none.
///
/// ```
/// tables             [############········]  61 %  312 MiB of 511 MiB
/// ```
struct ProgressBar {
    private static let width = 20
    private static let minimumInterval = Duration.milliseconds(100)

    private let isShown: Bool
    private var shownAt: ContinuousClock.Instant?
    private var step: VerificationProgress.Step?

    init(isWanted: Bool) { isShown = isWanted && isatty(STDERR_FILENO) == 1 }

    mutating func show(_ progress: VerificationProgress) {
        guard isShown else { return }
        let now = ContinuousClock.now
        let isDue = shownAt.map { now - $0 >= Self.minimumInterval } ?? true
        guard isDue || progress.step != step else { return }
        (shownAt, step) = (now, progress.step)
        Self.write("\r\u{1B}[K" + Self.line(progress))
    }

    /// Wipes the line, so that what comes next stands alone.
    func end() { if isShown { Self.write("\r\u{1B}[K") } }

    static func line(_ progress: VerificationProgress) -> String {
        let name = progress.step.rawValue
        let label = name + String(repeating: " ", count: max(1, 18 - name.count))
        func amount(_ number: UInt64) -> String { progress.isBytes ? Amount.bytes(number) : Amount.count(number) }
        guard progress.total > 0 else { return label + (progress.done > 0 ? amount(progress.done) : "…") }
        // Totals of records are estimates.
        let share = min(1, Double(progress.done) / Double(progress.total))
        let filled = Int(share * Double(width))
        let bar = String(repeating: "#", count: filled) + String(repeating: "·", count: width - filled)
        let percent = "\(Int(share * 100))"
        let padding = String(repeating: " ", count: 3 - percent.count)
        return "\(label)[\(bar)] \(padding)\(percent) %  \(amount(progress.done)) of \(amount(progress.total))"
    }

    private static func write(_ text: String) {
        var text = text
        text.withUTF8 { _ = Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}

/// Numbers for people.
enum Amount {
    /// `1,950`
    static func count(_ number: some BinaryInteger) -> String {
        var digits = String(number)
        var groups: [Substring] = []
        while digits.count > 3 {
            groups.insert(digits.suffix(3), at: 0)
            digits.removeLast(3)
            groups[0] = Substring(String(groups[0]))
        }
        return ([digits] + groups.map(String.init)).joined(separator: ",")
    }

    /// `34.5 MiB`
    static func bytes(_ number: some BinaryInteger) -> String {
        guard number >= 1024 else { return "\(number) B" }
        var value = Double(number)
        var unit = 0
        let units = ["B", "KiB", "MiB", "GiB", "TiB"]
        while value >= 1024, unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10) \(units[unit])"
    }
}
