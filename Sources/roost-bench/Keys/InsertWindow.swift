/// Which of the keys that one thread inserts are there for certain: all below `acknowledged`. Acknowledgements may come
/// out of order (YCSB's `AcknowledgedCounterGenerator`).
struct InsertWindow: Sendable {
    private static let capacity: UInt64 = 1 << 16

    /// The next insert's number.
    private(set) var next: UInt64 = 0
    private(set) var acknowledged: UInt64 = 0
    private var flags = [Bool](repeating: false, count: Int(Self.capacity))

    /// - Returns: the number of a new insert, nil while 65,536 are under way.
    mutating func begin() -> UInt64? {
        guard next - acknowledged < Self.capacity else { return nil }
        defer { next += 1 }
        return next
    }

    mutating func acknowledge(_ number: UInt64) {
        flags[Int(number % Self.capacity)] = true
        while acknowledged < next, flags[Int(acknowledged % Self.capacity)] {
            flags[Int(acknowledged % Self.capacity)] = false
            acknowledged += 1
        }
    }
}
