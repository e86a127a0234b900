import Foundation
import Synchronization

/// Ctrl-C, SIGTERM and SIGHUP leave no server and no folder behind.
enum Interruption {
    private static let isUnderWay = Atomic(false)
    /// Nil: nobody waits for a signal yet.
    private static let workspace = Mutex<Workspace?>(nil)

    /// Called before anything new is started or made: once the end has begun, it does not return.
    static func checkpoint() {
        while isUnderWay.load(ordering: .acquiring) { pause(.seconds(1)) }
    }

    /// - Parameter workspace: the folder that is in use from now on.
    static func cleanUp(_ workspace: Workspace) {
        let isAwaited = self.workspace.withLock { current in
            defer { current = workspace }
            return current != nil
        }
        if !isAwaited { awaitSignal() }
    }

    private static func isIgnored(_ signal: Int32) -> Bool {
        var action = sigaction()
        guard sigaction(signal, nil, &action) == 0 else { return false }
        // Functions can't be compared; their addresses can.
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: UInt.self)
            == unsafeBitCast(SIG_IGN, to: UInt.self)
    }

    private static func awaitSignal() {
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in [SIGINT, SIGTERM] { sigaddset(&signals, number) }
        // Under nohup a terminal that goes is nothing to end for.
        if !isIgnored(SIGHUP) { sigaddset(&signals, SIGHUP) }
        // Blocked before any thread exists, so that only the thread below ever receives them.
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        let awaited = signals
        Thread.detachNewThread {
            var number: Int32 = 0
            _ = withUnsafePointer(to: awaited) { sigwait($0, &number) }
            isUnderWay.store(true, ordering: .releasing)
            for process in ChildProcess.running.withLock({ Array($0.values) }) { process.stop() }
            workspace.withLock { $0?.remove() }
            exit(128 + number)
        }
    }
}
