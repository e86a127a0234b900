import Foundation
import Synchronization

/// Starts processes from one thread that never ends.
///
/// The kernel sends a child its "your parent died" signal when the *thread* that started it ends; through that signal a
/// daemon never outlives a test run that was itself killed.
final class Spawner: Sendable {
    static let shared = Spawner()

    private let requests = Mutex<[@Sendable () -> Void]>([])
    private let available = DispatchSemaphore(value: 0)

    private init() {
        Thread.detachNewThread { [self] in
            while true {
                available.wait()
                requests.withLock { $0.removeFirst() }()
            }
        }
    }

    func spawn(
        _ arguments: [String], environment: [String: String], output: String, errors: String
    ) throws -> pid_t {
        let box = OutcomeBox()
        let done = DispatchSemaphore(value: 0)
        requests.withLock {
            $0.append {
                box.outcome.withLock { outcome in
                    outcome = Result {
                        try spawnNow(arguments, environment: environment, output: output, errors: errors)
                    }
                }
                done.signal()
            }
        }
        available.signal()
        done.wait()
        return try box.outcome.withLock { $0! }.get()
    }

    private final class OutcomeBox: Sendable {
        let outcome = Mutex<Result<pid_t, any Error>?>(nil)
    }
}

private func spawnNow(
    _ arguments: [String], environment: [String: String], output: String, errors: String
) throws -> pid_t {
    var files = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&files)
    defer { posix_spawn_file_actions_destroy(&files) }
    let flags = O_WRONLY | O_CREAT | O_APPEND
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&files, 1, output, flags, 0o644)
    if errors == output {
        posix_spawn_file_actions_adddup2(&files, 1, 2)
    } else {
        posix_spawn_file_actions_addopen(&files, 2, errors, flags, 0o644)
    }

    // The test runner ignores some signals; a daemon must not start with what it would not meet under systemd.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var every = sigset_t()
    var none = sigset_t()
    sigfillset(&every)
    sigemptyset(&none)
    posix_spawnattr_setsigdefault(&attributes, &every)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))

    let line = Spawner.leash + arguments
    var argv = line.map { strdup($0) } + [nil]
    var envp = environment.sorted { $0.key < $1.key }.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for text in argv + envp { free(text) } }
    var pid: pid_t = 0
    let code = posix_spawn(&pid, line[0], &files, &attributes, &argv, &envp)
    guard code == 0 else { throw SystemError("posix_spawn(\(line.joined(separator: " ")))", code: code) }
    return pid
}

extension Spawner {
    /// `setpriv` asks the kernel for the signal, then becomes the program: the process number stays.
    fileprivate static let leash: [String] = {
        let setpriv = "/usr/bin/setpriv"
        return access(setpriv, X_OK) == 0 ? [setpriv, "--pdeathsig", "KILL", "--"] : []
    }()
}
