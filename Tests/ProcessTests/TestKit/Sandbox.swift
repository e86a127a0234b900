import Foundation
import Synchronization

/// What one test made and must not leave behind: a temporary folder and the processes that run in it.
///
/// `SandboxTrait` opens one for each test and closes it whatever the test's end; a failed test's logs are printed then.
/// `ROOST_KEEP=1` keeps the folder of a failed test.
final class Sandbox: Sendable {
    @TaskLocal static var current: Sandbox?

    /// The folder, on whatever `TMPDIR` names.
    let path: String
    private struct State {
        var processes: [ChildProcess] = []
        var onClose: [@Sendable () -> Void] = []
        var logs: [(title: String, path: String)] = []
        var failed = false
        var folders = 0
    }
    private let state = Mutex(State())

    init() throws {
        let root = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
        var template = Array("\(root)/roost-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError("mkdtemp(\(root))") }
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// A new folder name inside; nothing is created.
    func newFolder(_ name: String) -> String {
        let number = state.withLock { state in
            state.folders += 1
            return state.folders
        }
        return "\(path)/\(name)-\(number)"
    }

    /// From now on `process` is killed when the test ends.
    func adopt(_ process: ChildProcess) {
        state.withLock { $0.processes.append(process) }
    }

    /// `body` is called when the test ends, before its processes are killed.
    func onClose(_ body: @escaping @Sendable () -> Void) {
        state.withLock { $0.onClose.append(body) }
    }

    /// The file is printed if the test fails.
    func adoptLog(_ path: String, title: String) {
        state.withLock { state in
            if !state.logs.contains(where: { $0.path == path }) { state.logs.append((title, path)) }
        }
    }

    func markFailed() { state.withLock { $0.failed = true } }

    func close() {
        let (processes, logs, failed) = state.withLock { ($0.processes, $0.logs, $0.failed) }
        for body in state.withLock({ $0.onClose }) { body() }
        for process in processes { process.kill() }
        if failed { printLogs(logs) }
        if failed, ProcessInfo.processInfo.environment["ROOST_KEEP"] == "1" {
            print("kept: \(path)")
        } else {
            try? FileManager.default.removeItem(atPath: path)
        }
    }

    private func printLogs(_ logs: [(title: String, path: String)]) {
        let linesShown = 60
        for (title, path) in logs {
            let lines = readText(path).split(separator: "\n")
            print("---- \(title): last \(min(linesShown, lines.count)) of \(lines.count) lines ----")
            for line in lines.suffix(linesShown) { print(line) }
        }
    }
}

/// The file's text, empty when there is none.
func readText(_ path: String) -> String {
    guard let data = FileManager.default.contents(atPath: path) else { return "" }
    return String(decoding: data, as: UTF8.self)
}
