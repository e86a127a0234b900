import Foundation
import Synchronization

/// Says loudly what this machine can't run: skipped is not passed.
enum Skipping {
    private static let said = Mutex<Set<String>>([])

    /// - Parameter obstacle: `nil`: nothing is in the way.
    /// - Returns: whether the test can be run.
    static func passes(_ what: String, _ obstacle: String?) -> Bool {
        guard let obstacle else { return true }
        let line = "\(what): \(obstacle)"
        guard said.withLock({ $0.insert(line).inserted }) else { return false }
        say("SKIPPED \(line)")
        // `.ci/run` shows the lines of this file in its summary.
        guard let path = ProcessInfo.processInfo.environment["CI_SKIPPED"],
            let file = FileHandle(forWritingAtPath: path)
        else { return false }
        file.seekToEndOfFile()
        file.write(Data((line + "\n").utf8))
        try? file.close()
        return false
    }
}
