@preconcurrency import Dispatch
import Foundation
import Logging
import RoostNode
import Synchronization

/// Listens to SIGTERM and SIGINT: the first one asks for an orderly stop, and from then on a deadline runs, at which
/// the process ends. Works on a queue of its own: it is there for the case in which everything else is stuck.
final class StopWatch: Sendable {
    private let queue = DispatchQueue(label: "roostd.stop-watch")
    private let logger: Logger
    private let state: Mutex<StopDeadline>
    /// Kept for the rest of the process: without them a further signal would have its default action.
    private let sources: [any DispatchSourceSignal]

    init(shutdownTimeout: Duration, logger: Logger) {
        self.logger = logger
        state = Mutex(StopDeadline(shutdownTimeout: shutdownTimeout))
        sources = [SIGTERM, SIGINT].map { [queue] in DispatchSource.makeSignalSource(signal: $0, queue: queue) }
    }

    /// When this returns, the signals do not end the process by themselves any more. Call once.
    /// - Parameter stop: called on the first signal, not later ones.
    func listen(_ stop: @escaping @Sendable () -> Void) async {
        for source in sources {
            let name = source.handle == SIGTERM ? "SIGTERM" : "SIGINT"
            source.setEventHandler { [self] in signalArrived(name, stop) }
            await withCheckedContinuation { registered in
                source.setRegistrationHandler { registered.resume() }
                source.resume()
            }
        }
    }

    func nodeStarted() {
        state.withLock { $0.nodeStarted() }
    }

    private func signalArrived(_ name: String, _ stop: @Sendable () -> Void) {
        logger.notice("signal", metadata: ["signal": "\(name)"])
        let isFirst = state.withLock { state in
            state.signalArrived(at: .now)
            return state.signals == 1
        }
        if isFirst { stop() }
        endWhenDue()
    }

    /// Ends the process if the deadline has passed, else looks again when it will have.
    private func endWhenDue() {
        let deadline = state.withLock(\.self)
        guard let due = deadline.deadline else { return }
        let rest = due - .now
        guard rest <= .zero else {
            let nanoseconds = Int(rest / .nanoseconds(1)) + 1
            return queue.asyncAfter(deadline: .now() + .nanoseconds(nanoseconds)) { [self] in endWhenDue() }
        }
        if let failure = deadline.failure { ProcessEnd.fail(failure) }
        logger.notice("stopped before recovery was done")
        _exit(EXIT_SUCCESS)
    }
}
