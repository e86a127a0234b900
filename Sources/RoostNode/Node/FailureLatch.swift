import Synchronization

/// The first reason why the node must end, and whoever waits for it.
///
/// Once it is set nothing more leaves the node: the threads look at `isSet` before they promise anything.
final class FailureLatch: Sendable {
    private struct State {
        var failure: NodeFailure?
        var waiters: [CheckedContinuation<NodeFailure, Never>] = []
    }

    private let state = Mutex(State())
    private let flag = Atomic<Bool>(false)

    var isSet: Bool { flag.load(ordering: .acquiring) }

    func fail(_ failure: NodeFailure) {
        let waiters = state.withLock { state -> [CheckedContinuation<NodeFailure, Never>] in
            guard state.failure == nil else { return [] }
            state.failure = failure
            flag.store(true, ordering: .releasing)
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume(returning: failure) }
    }

    func wait() async -> NodeFailure {
        await withCheckedContinuation { continuation in
            let failure = state.withLock { state in
                if state.failure == nil { state.waiters.append(continuation) }
                return state.failure
            }
            if let failure { continuation.resume(returning: failure) }
        }
    }
}
