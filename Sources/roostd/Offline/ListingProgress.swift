import Glibc
import RaftStorage

/// A progress bar beside a list that is printed line by line: where the lines go to a terminal, they are progress enough.
struct ListingProgress {
    private static let interval: UInt64 = 1024

    private let step: VerificationProgress.Step
    private let total: UInt64
    private let show: (VerificationProgress) -> Void
    private var done: UInt64 = 0

    /// - Parameters:
    ///   - total: an estimate of the lines that there are; 0: not known.
    ///   - limit: at most so many are printed; 0: all.
    init(
        _ step: VerificationProgress.Step, of total: UInt64, limit: UInt64,
        show: @escaping (VerificationProgress) -> Void
    ) {
        self.step = step
        self.total = limit == 0 ? total : min(limit, total)
        self.show = show
    }

    /// One more is printed.
    mutating func add() {
        done += 1
        if done.isMultiple(of: Self.interval) { show(VerificationProgress(step: step, done: done, total: total)) }
    }
}

extension ProgressBar {
    /// Gives `body` what shows progress on a bar, which is wiped at the end.
    ///
    /// - Parameter isWanted: Default: always.
    static func with<R>(
        isWanted: Bool = true, _ body: (@escaping (VerificationProgress) -> Void) throws(StorageError) -> R
    ) throws(StorageError) -> R {
        var bar = ProgressBar(isWanted: isWanted)
        defer { bar.end() }
        // The closure must not outlive the bar: it does not.
        return try withoutActuallyEscaping({ (progress: VerificationProgress) in bar.show(progress) }) {
            (show) throws(StorageError) in try body(show)
        }
    }

    /// Beside what is printed line by line.
    static func withListing<R>(
        _ body: (@escaping (VerificationProgress) -> Void) throws(StorageError) -> R
    ) throws(StorageError) -> R {
        try with(isWanted: isatty(STDOUT_FILENO) == 0, body)
    }
}
