/// The operations of a history that take part in the search, numbered for it: first those with a reply, in the order of
/// their returns, then those of unknown outcome that can matter, in the order of their calls.
struct Schedule: Sendable {
    /// Index into the history, by number.
    let operations: [Int]
    let invoked: [UInt64]
    /// Of those with a reply.
    let returned: [UInt64]
    let replied: Int
    /// Those with a reply, in the order of their calls.
    let callOrder: [Int]
    /// A small number that an operation with a reply has for itself from its call to its return.
    let slots: [Int]
    let slotCount: Int
    /// For an unknown operation: the one called before it that asks for the same, if there is any.
    let twins: [Int?]

    var count: Int { operations.count }

    /// - Parameters:
    ///   - known: indices of the operations that have a reply.
    ///   - unknown: indices of those of unknown outcome that can matter.
    init(_ history: [Operation], known: [Int], unknown: [Int]) {
        let known = known.sorted {
            (history[$0].returned, history[$0].invoked, $0) < (history[$1].returned, history[$1].invoked, $1)
        }
        let unknown = unknown.sorted { (history[$0].invoked, $0) < (history[$1].invoked, $1) }
        let operations = known + unknown
        let invoked = operations.map { history[$0].invoked }
        let returned = known.map { history[$0].returned }
        self.operations = operations
        self.invoked = invoked
        self.returned = returned
        replied = known.count
        callOrder = known.indices.sorted { (invoked[$0], $0) < (invoked[$1], $1) }
        (slots, slotCount) = Self.assignSlots(callOrder, invoked, returned)
        twins = Self.findTwins(unknown.map { history[$0].call }, firstNumber: known.count)
    }

    /// The lowest slot that is free at each call. At one instant calls come before returns: the operations may then have
    /// overlapped.
    private static func assignSlots(
        _ callOrder: [Int], _ invoked: [UInt64], _ returned: [UInt64]
    ) -> (slots: [Int], count: Int) {
        var slots = [Int](repeating: 0, count: returned.count)
        var free: [Int] = []
        var count = 0
        var ended = 0
        for operation in callOrder {
            while returned[ended] < invoked[operation] {
                free.append(slots[ended])
                ended += 1
            }
            if let slot = free.popLast() {
                slots[operation] = slot
            } else {
                slots[operation] = count
                count += 1
            }
        }
        return (slots, count)
    }

    private static func findTwins(_ calls: [Register.Call], firstNumber: Int) -> [Int?] {
        var latest: [Register.Call: Int] = [:]
        return calls.indices.map { index in
            defer { latest[calls[index]] = firstNumber + index }
            return latest[calls[index]]
        }
    }
}
