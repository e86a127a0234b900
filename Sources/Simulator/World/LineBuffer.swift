/// The latest lines of what happened.
struct LineBuffer {
    private static let capacity = 60

    private var ring: [String] = []
    private var start = 0
    /// Gets every line too.
    var sink: ((String) -> Void)?

    mutating func append(_ line: String) {
        sink?(line)
        if ring.count < Self.capacity {
            ring.append(line)
        } else {
            ring[start] = line
            start = (start + 1) % Self.capacity
        }
    }

    /// Oldest first.
    var lines: [String] { Array(ring[start...] + ring[..<start]) }
}
