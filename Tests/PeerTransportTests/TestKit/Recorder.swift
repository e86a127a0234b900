import Synchronization

/// Collects what other threads report, and lets a test wait until what it expects is there: no sleeps, no polling.
///
/// A test that waits for what never comes ends at its suite's time limit.
final class Recorder<Element: Sendable>: Sendable {
    private let state = Mutex(State())

    private struct State: Sendable {
        var elements: [Element] = []
        var waiters: [Waiter] = []
    }

    private struct Waiter: Sendable {
        var isSatisfied: @Sendable ([Element]) -> Bool
        var continuation: CheckedContinuation<[Element], Never>
    }

    var elements: [Element] { state.withLock { $0.elements } }

    func append(_ element: Element) {
        let (elements, ready) = state.withLock { state in
            state.elements.append(element)
            let elements = state.elements
            let ready = state.waiters.filter { $0.isSatisfied(elements) }
            state.waiters.removeAll { $0.isSatisfied(elements) }
            return (elements, ready)
        }
        for waiter in ready { waiter.continuation.resume(returning: elements) }
    }

    /// Returns everything recorded, as soon as it satisfies the condition.
    @discardableResult func wait(until isSatisfied: @escaping @Sendable ([Element]) -> Bool) async -> [Element] {
        await withCheckedContinuation { continuation in
            let satisfied: [Element]? = state.withLock { state in
                if isSatisfied(state.elements) { return state.elements }
                state.waiters.append(Waiter(isSatisfied: isSatisfied, continuation: continuation))
                return nil
            }
            if let satisfied { continuation.resume(returning: satisfied) }
        }
    }

    /// Returns the first element that matches, as soon as there is one.
    @discardableResult func first(where matches: @escaping @Sendable (Element) -> Bool) async -> Element {
        await wait { $0.contains(where: matches) }.first(where: matches)!
    }
}
