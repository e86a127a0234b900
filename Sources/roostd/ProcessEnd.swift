import Foundation
import Logging
import RoostNode

/// How the process says its last word.
enum ProcessEnd {
    /// Writes the last line and ends at once, with the failure's code. Nothing is unwound: whatever was promised is on
    /// disk, and a node that failed must not do more.
    static func fail(_ failure: NodeFailure) -> Never {
        say(failure.lastLine, failure.code == .success ? .notice : .critical)
        fflush(nil)
        _exit(failure.code.rawValue)
    }

    /// A line on standard error that is no log event, so that it is there whatever the log's level and format are.
    static func say(_ line: String, _ level: Logger.Level = .critical) {
        let isForJournal = Journal.readsStandardError(ProcessInfo.processInfo.environment)
        LogOutput.standardError.write((isForJournal ? Journal.prefix(level) : "") + line)
    }
}
