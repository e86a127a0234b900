import Foundation
import Synchronization

/// A server or a load generator that this program started. Ended by its number, never by its name.
final class ChildProcess: Sendable {
    /// Those that run, for the end of this program.
    static let running = Mutex<[pid_t: ChildProcess]>([:])

    let pid: pid_t
    private let log: String
    private let status = Mutex<Int32?>(nil)

    init(_ command: [String], log: String) throws {
        Interruption.checkpoint()
        OpenFiles.raiseLimit()
        self.log = log
        pid = try Self.spawn(command, log: log)
        Self.running.withLock { $0[pid] = self }
    }

    var hasEnded: Bool {
        status.withLock { status in
            if status == nil {
                var code: Int32 = 0
                if waitpid(pid, &code, WNOHANG) == pid { status = code }
            }
            return status != nil
        }
    }

    var lastLogLine: String {
        let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").last.map(String.init) ?? "no log"
    }

    /// SIGTERM, and SIGKILL for what is still there after ten seconds.
    func stop() {
        for (signal, limit) in [(SIGTERM, Duration.seconds(10)), (SIGKILL, .seconds(10))] {
            if !hasEnded { Glibc.kill(pid, signal) }
            let deadline = ContinuousClock.now + limit
            while !hasEnded, ContinuousClock.now < deadline { pause(.milliseconds(5)) }
        }
        _ = Self.running.withLock { $0.removeValue(forKey: pid) }
    }

    /// SIGKILL, which is what a crash is, and waits for the end.
    func kill() {
        if !hasEnded { Glibc.kill(pid, SIGKILL) }
        while !hasEnded { pause(.milliseconds(1)) }
        _ = Self.running.withLock { $0.removeValue(forKey: pid) }
    }

    func waitUntil(_ what: String, _ holds: () -> Bool) throws {
        let deadline = ContinuousClock.now + .seconds(20)
        while !holds() {
            if hasEnded { throw BenchError("not so: \(what): it ended: \(lastLogLine)") }
            if ContinuousClock.now > deadline { throw BenchError("not within 20 s: \(what)") }
            pause(.milliseconds(10))
        }
    }

    /// Runs a tool to its end and gives what it printed.
    ///
    /// - Throws: `BenchError` if it fails, or has to be stopped after `limit`.
    static func output(of command: [String], folder: String, within limit: Duration) throws -> String {
        let log = "\(folder)/output-of-\(URL(fileURLWithPath: command[0]).lastPathComponent)"
        try? FileManager.default.removeItem(atPath: log)
        let process = try ChildProcess(command, log: log)
        defer {
            process.stop()
            try? FileManager.default.removeItem(atPath: log)
        }
        let deadline = ContinuousClock.now + limit
        while !process.hasEnded {
            if ContinuousClock.now > deadline { throw BenchError("\(command[0]) did not end within \(limit)") }
            pause(.milliseconds(2))
        }
        guard process.status.withLock(\.self) == 0 else {
            throw BenchError("\(command[0]) failed: \(process.lastLogLine)")
        }
        return (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
    }

    private static func spawn(_ command: [String], log: String) throws -> pid_t {
        var files = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&files)
        defer { posix_spawn_file_actions_destroy(&files) }
        posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&files, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        posix_spawn_file_actions_adddup2(&files, 1, 2)
        // We block SIGINT and SIGTERM for ourselves; a server must not inherit that.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))

        let line = leash + command
        var argv = line.map { strdup($0) } + [nil]
        defer { for text in argv { free(text) } }
        var pid: pid_t = 0
        // Without our own ROOST_ variables: roostd refuses names that it does not know.
        var environment =
            ProcessInfo.processInfo.environment
            .filter { !$0.key.hasPrefix("ROOST_") }.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in environment { free(text) } }
        let code = posix_spawn(&pid, line[0], &files, &attributes, &argv, &environment)
        guard code == 0 else { throw BenchError("cannot start \(command[0]): \(String(cString: strerror(code)))") }
        return pid
    }

    /// The kernel ends the child when this program dies, whatever it dies of.
    private static let leash = Tool.path("setpriv").map { [$0, "--pdeathsig", "KILL", "--"] } ?? []
}
