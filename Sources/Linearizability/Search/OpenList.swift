/// The operations with a reply that have no place yet, in the order of their calls: a list from which operations are taken
/// and put back in constant time (Knuth's dancing links).
struct OpenList: Sendable {
    private var following: [Int32]
    private var preceding: [Int32]
    /// Stands before the first and after the last.
    private let end: Int

    init(_ callOrder: [Int]) {
        end = callOrder.count
        following = Array(repeating: Int32(end), count: end + 1)
        preceding = following
        var last = end
        for operation in callOrder {
            following[last] = Int32(operation)
            preceding[operation] = Int32(last)
            last = operation
        }
        following[last] = Int32(end)
        preceding[end] = Int32(last)
    }

    var first: Int? { next(end) }

    func next(_ operation: Int) -> Int? {
        let next = Int(following[operation])
        return next == end ? nil : next
    }

    mutating func remove(_ operation: Int) {
        following[Int(preceding[operation])] = following[operation]
        preceding[Int(following[operation])] = preceding[operation]
    }

    /// Undoes the latest `remove` that is not undone: what was removed still knows its neighbours.
    mutating func restore(_ operation: Int) {
        following[Int(preceding[operation])] = Int32(operation)
        preceding[Int(following[operation])] = Int32(operation)
    }
}
