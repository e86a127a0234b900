/// Is there one order of all operations on a register that explains every result and respects real time?
///
/// The search of Wing and Gong with Lowe's memory of configurations already tried, as Porcupine does it. It walks the
/// history from its start: an operation that was called before any other returned may be next; whoever returns without
/// having been placed proves the guess wrong. An unknown operation returns after the end of the history.
struct LinearizabilityChecker {
    enum Verdict: Equatable {
        case linearizable
        case violated
        /// The search was ended by its limit: nothing is known.
        case undecided
    }

    /// Steps of the search before it gives up.
    var maxSteps = 5_000_000

    func check(_ history: [Operation], initial: Int? = nil) -> Verdict {
        var line = Timeline(history)
        var state = initial
        var placed = BitSet(count: history.count)
        var tried: Set<Configuration> = []
        var path: [(event: Int, stateBefore: Int?)] = []
        var event = line.first
        var steps = 0
        while let current = event {
            steps += 1
            if steps > maxSteps { return .undecided }
            let operation = line.operation(of: current)
            if !line.isCall(current) {
                // It returned, but no place was found for it before this moment: take the last guess back.
                guard let last = path.popLast() else { return .violated }
                state = last.stateBefore
                placed.remove(line.operation(of: last.event))
                line.restore(last.event)
                event = line.next(last.event)
                continue
            }
            event = line.next(current)
            if let (next, _) = history[operation].call.applied(to: state, giving: history[operation].result) {
                placed.insert(operation)
                if tried.insert(Configuration(placed: placed, state: next)).inserted {
                    path.append((current, state))
                    state = next
                    line.remove(current)
                    event = line.first
                } else {
                    placed.remove(operation)
                }
            }
        }
        return .linearizable
    }

    private struct Configuration: Hashable {
        var placed: BitSet
        var state: Int?
    }
}

/// The calls and returns of a history in order of time, as a list from which operations are taken and put back.
/// Event 2n is the call of operation n, event 2n + 1 its return.
private struct Timeline {
    private var following: [Int]
    private var preceding: [Int]
    /// Stands before the first and after the last event.
    private let end: Int

    init(_ history: [Operation]) {
        end = 2 * history.count
        let order = (0..<end).sorted { a, b in
            let (first, second) = (Self.moment(a, history), Self.moment(b, history))
            // At one instant calls come first: the operations may then have overlapped.
            return first != second ? first < second : (a & 1, a) < (b & 1, b)
        }
        following = Array(repeating: end, count: end + 1)
        preceding = following
        var last = end
        for event in order {
            following[last] = event
            preceding[event] = last
            last = event
        }
        following[last] = end
        preceding[end] = last
    }

    var first: Int? { next(end) }
    func next(_ event: Int) -> Int? { following[event] == end ? nil : following[event] }
    func isCall(_ event: Int) -> Bool { event & 1 == 0 }
    func operation(of event: Int) -> Int { event >> 1 }

    mutating func remove(_ call: Int) {
        for event in [call, call + 1] {
            following[preceding[event]] = following[event]
            preceding[following[event]] = preceding[event]
        }
    }

    /// Undoes the latest `remove` that is not undone: the removed events still know their neighbours.
    mutating func restore(_ call: Int) {
        for event in [call + 1, call] {
            following[preceding[event]] = event
            preceding[following[event]] = event
        }
    }

    private static func moment(_ event: Int, _ history: [Operation]) -> Moment {
        let operation = history[event >> 1]
        if event & 1 == 0 { return .at(operation.invoked) }
        return operation.result == nil ? .never : .at(operation.returned)
    }

    private enum Moment: Comparable {
        case at(ContinuousClock.Instant)
        case never
    }
}

/// A set of small integers.
private struct BitSet: Hashable {
    private var words: [UInt64]

    init(count: Int) { words = Array(repeating: 0, count: (count + 63) / 64) }
    mutating func insert(_ bit: Int) { words[bit >> 6] |= 1 << UInt64(bit & 63) }
    mutating func remove(_ bit: Int) { words[bit >> 6] &= ~(1 << UInt64(bit & 63)) }
}
