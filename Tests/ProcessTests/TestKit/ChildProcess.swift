import Foundation
import Synchronization

/// A process this test started. Signals go to it alone, and never after it was reaped: its number may be another's then.
final class ChildProcess: Sendable {
    enum Exit: Equatable, CustomStringConvertible {
        case code(Int32)
        case signal(Int32)
        var description: String {
            switch self {
            case .code(let code): "exit \(code)"
            case .signal(let signal): "signal \(signal)"
            }
        }
    }

    let pid: pid_t
    private let exit = Mutex<Exit?>(nil)

    /// Starts `arguments[0]` with nothing of ours but the three standard files and `environment`.
    ///
    /// - Parameter output: the file that stdout and stderr are appended to.
    init(_ arguments: [String], environment: [String: String], output: String, errors: String? = nil) throws {
        pid = try Spawner.shared.spawn(arguments, environment: environment, output: output, errors: errors ?? output)
    }

    /// How it ended; `nil` while it runs.
    var ended: Exit? {
        exit.withLock { exit in
            if exit == nil { exit = reap() }
            return exit
        }
    }

    var isRunning: Bool { ended == nil }

    func send(_ signal: Int32) {
        exit.withLock { exit in
            if exit == nil { exit = reap() }
            if exit == nil { _ = Glibc.kill(pid, signal) }
        }
    }

    /// SIGSTOP, and waits until no thread of it runs any more: one of them has to get to the signal first, which takes a
    /// while on a busy machine.
    func pause() throws {
        send(SIGSTOP)
        let tasks = "/proc/\(pid)/task"
        try eventually("process \(pid) stands still", every: .milliseconds(1)) {
            let states = try FileManager.default.contentsOfDirectory(atPath: tasks).map { task in
                // After the name, which may hold anything but ends with the last parenthesis.
                readText("\(tasks)/\(task)/stat").split(separator: ")").last?.dropFirst().first
            }
            return states.allSatisfy { $0 == "T" } ? () : nil
        }
    }

    /// `kill -9`, and waits until it is gone.
    func kill() {
        send(SIGKILL)
        _ = try? wait()
    }

    /// - Throws: `TestFailure` if it still runs after `limit`.
    @discardableResult
    func wait(within limit: Duration = .patience) throws -> Exit {
        try eventually("process \(pid) ends", within: limit, every: .milliseconds(2)) { ended }
    }

    /// Resident memory in bytes, 0 when it has ended.
    var residentBytes: Int {
        for line in readText("/proc/\(pid)/status").split(separator: "\n") where line.hasPrefix("VmRSS:") {
            return (line.split(separator: " ").dropLast().last.flatMap { Int($0) } ?? 0) << 10
        }
        return 0
    }

    private func reap() -> Exit? {
        var status: Int32 = 0
        guard waitpid(pid, &status, WNOHANG) == pid else { return nil }
        let signal = status & 0x7F
        return signal == 0 ? .code((status >> 8) & 0xFF) : .signal(signal)
    }
}
