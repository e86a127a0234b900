import ArgumentParser
import RaftStorage
import RoostNode

/// Looks whether all that a data directory holds is what was written.
struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check everything in a data directory while no node runs on it; changes nothing.",
        discussion: """
            Reads every block of every file, checks every record, the order of the log, and that log and state belong \
            together. Ends with 0 if all is whole, 65 if something is damaged, 66 if the directory is no node's or of \
            a newer format, 75 if a node runs on it. What to do about damage: docs/recovery.md.
            """)

    @ParentCommand var daemon: Roostd

    @OptionGroup var options: OfflineOptions

    @Flag(help: "Show no progress.")
    var quiet = false

    func run() throws {
        let directory = try options.directory(after: daemon.options)
        let report = try OfflineOptions.looking { () throws(StorageError) in try verify(directory) }
        if options.json {
            print(VerificationDocument(report, directory: directory).json)
        } else {
            print(VerificationText.page(report, directory: directory))
        }
        if let failure = Self.failure(report) { throw failure }
    }

    private func verify(_ directory: String) throws(StorageError) -> VerificationReport {
        try ProgressBar.with(isWanted: !quiet) { (show) throws(StorageError) in
            var verification = Verification(directory: directory, onProgress: show)
            return try verification.run()
        }
    }

    /// How the process ends; nil for a whole directory.
    static func failure(_ report: VerificationReport) -> NodeFailure? {
        let damage = report.findings.filter { $0.severity == .damage }
        guard let first = damage.first else { return nil }
        let others = damage.count == 1 ? "" : " (and \(damage.count - 1) more)"
        return NodeFailure(
            .corruption, cause: first.message + others,
            remedy: "keep a copy of the directory, and see docs/recovery.md for what can be repaired")
    }
}
