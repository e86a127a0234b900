import Synchronization

/// Collects what other threads report, and lets a test wait until what it expects is there: no sleeps, no polling.
///
/// A test that waits for what never comes is ended by its suite's time limit, which cancels its task.
final class Recorder<Element: Sendable>: Sendable {
    private let state = Mutex(State())

    private struct State: Sendable {
        var elements: [Element] = []
        var waiters: [UInt64: Waiter] = [:]
        var waits: UInt64 = 0
    }

    private struct Waiter: Sendable {
        var isSatisfied: @Sendable ([Element]) -> Bool
        var continuation: CheckedContinuation<[Element], any Error>
    }

    var elements: [Element] { state.withLock { $0.elements } }

    func append(_ element: Element) {
        let (elements, ready) = state.withLock { state in
            state.elements.append(element)
            let elements = state.elements
            let ready = state.waiters.filter { $0.value.isSatisfied(elements) }
            for number in ready.keys { state.waiters[number] = nil }
            return (elements, ready.values)
        }
        for waiter in ready { waiter.continuation.resume(returning: elements) }
    }

    /// Returns everything recorded, as soon as it satisfies the condition.
    ///
    /// - Throws: `CancellationError` when the task is cancelled before.
    @discardableResult func wait(until isSatisfied: @escaping @Sendable ([Element]) -> Bool) async throws -> [Element] {
        let number = state.withLock { state in
            state.waits += 1
            return state.waits
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let outcome: Result<[Element], any Error>? = state.withLock { state in
                    if isSatisfied(state.elements) { return .success(state.elements) }
                    // The handler below may have run already, and found nobody waiting.
                    if Task.isCancelled { return .failure(CancellationError()) }
                    state.waiters[number] = Waiter(isSatisfied: isSatisfied, continuation: continuation)
                    return nil
                }
                if let outcome { continuation.resume(with: outcome) }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: number) }?.continuation.resume(
                throwing: CancellationError())
        }
    }

    /// Returns the first element that matches, as soon as there is one.
    ///
    /// - Throws: `CancellationError` when the task is cancelled before.
    @discardableResult func first(where matches: @escaping @Sendable (Element) -> Bool) async throws -> Element {
        try await wait { $0.contains(where: matches) }.first(where: matches)!
    }
}
