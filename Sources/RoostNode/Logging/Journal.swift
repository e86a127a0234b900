import Glibc
package import Logging

/// Whether systemd's journal reads what this process writes, and how a line tells it its priority (sd-daemon(3)).
package enum Journal {
    /// True when standard error is the very stream that `JOURNAL_STREAM` names: the variable alone proves nothing, it
    /// is inherited by children whose output goes elsewhere.
    package static func readsStandardError(_ environment: [String: String]) -> Bool {
        isStream(environment["JOURNAL_STREAM"], STDERR_FILENO)
    }

    static func isStream(_ variable: String?, _ descriptor: Int32) -> Bool {
        var status = stat()
        guard let variable, fstat(descriptor, &status) == 0 else { return false }
        return variable == "\(status.st_dev):\(status.st_ino)"
    }

    /// The priority of syslog(3) as the journal reads it off the start of a line.
    package static func prefix(_ level: Logger.Level) -> String {
        switch level {
        case .critical: "<2>"
        case .error: "<3>"
        case .warning: "<4>"
        case .notice: "<5>"
        case .info: "<6>"
        case .debug, .trace: "<7>"
        }
    }
}
