/// What one writer was promised.
struct WriterRecord: Sendable {
    /// Keys and the writes to them.
    var registers: [String: RegisterRecord] = [:]
    var counters: [String: CounterRecord] = [:]
    var lists: [String: ListRecord] = [:]
    var acknowledged = 0
    var unknown = 0
    var refused: [String: Int] = [:]
    /// Promises that were broken before its eyes.
    var violations: [String] = []
    /// The longest time between two acknowledgements.
    var longestGap = Duration.zero
}

/// A key that is overwritten. After an unknown outcome its writer leaves it alone: a write in doubt may still take
/// effect after a later one was acknowledged.
struct RegisterRecord: Sendable {
    var acknowledged: String?
    var unknown: String?
    var refused: Set<String> = []
}

/// A key that is only incremented.
struct CounterRecord: Sendable {
    var acknowledged: Int64 = 0
    var unknown: Int64 = 0
}

/// A key that unique items are appended to.
struct ListRecord: Sendable {
    var acknowledged: [String] = []
    var unknown: Set<String> = []
}
