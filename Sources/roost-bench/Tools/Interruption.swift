import Dispatch
import Foundation
import Synchronization

/// Ctrl-C and SIGTERM leave no server and no folder behind.
enum Interruption {
    private static let sources = Mutex<[any DispatchSourceSignal]>([])

    static func cleanUp(_ workspace: Workspace) {
        for number in [SIGINT, SIGTERM] {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                for process in ChildProcess.running.withLock({ Array($0.values) }) { process.stop() }
                workspace.remove()
                exit(128 + number)
            }
            source.resume()
            sources.withLock { $0.append(source) }
        }
    }
}
