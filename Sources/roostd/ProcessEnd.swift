import Foundation
import Logging
import RoostNode

/// How the process says its last word.
enum ProcessEnd {
    /// Writes the last line and ends at once, with the failure's code. Nothing is unwound: whatever was promised is on
    /// disk, and a node that failed must not do more.
    static func fail(_ failure: NodeFailure) -> Never {
        if failure.restarts { beginAnew(failure) }
        say(failure.lastLine, failure.code == .success ? .notice : .critical)
        fflush(nil)
        _exit(failure.code.rawValue)
    }

    /// Runs this program again in the same process, with the same arguments: for the disk that is a crash and a start, and
    /// a service manager need not know of it. What is to be repaired is noted in the data directory.
    private static func beginAnew(_ failure: NodeFailure) -> Never {
        say(
            "roostd: \(failure.cause); beginning anew: \(failure.remedy)".split(whereSeparator: \.isNewline)
                .joined(separator: " "), .error)
        fflush(nil)
        // Locks and listeners end with this image, whoever opened them.
        for descriptor in openDescriptors where descriptor > STDERR_FILENO {
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        }
        var none = sigset_t()
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, nil)
        execv("/proc/self/exe", CommandLine.unsafeArgv)
        // A service manager starts it again then.
        say("roostd: exit \(ExitCode.operatingSystem.rawValue): /proc/self/exe can't be run: errno \(errno)")
        _exit(ExitCode.operatingSystem.rawValue)
    }

    private static var openDescriptors: [Int32] {
        guard let directory = opendir("/proc/self/fd") else { return [] }
        defer { closedir(directory) }
        var descriptors: [Int32] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
            }
            if let descriptor = Int32(name) { descriptors.append(descriptor) }
        }
        return descriptors
    }

    /// A line on standard error that is no log event, so that it is there whatever the log's level and format are.
    static func say(_ line: String, _ level: Logger.Level = .critical) {
        let isForJournal = Journal.readsStandardError(ProcessInfo.processInfo.environment)
        LogOutput.standardError.write((isForJournal ? Journal.prefix(level) : "") + line)
    }
}
