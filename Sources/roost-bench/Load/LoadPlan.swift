/// One run of the load generator.
struct LoadPlan: Sendable {
    var address: LoopbackAddress
    var workload: Workload
    /// Keys that are in the store, or in a fill: that are to be.
    var records: Int
    /// Load that is not counted.
    var warmup: Duration
    /// The time that is counted. A fill ends when all keys are written.
    var time: Duration
    var threads: Int
    var seed: UInt64 = 0x5EED
    /// Whether every key is there, and holds what this program writes: then a read that finds nothing, or another
    /// key's value, is a failure.
    var checksValues = true

    /// Replies that are still under way when the time is over are waited for so long.
    static let drainLimit = Duration.seconds(10)
}

/// Where a server listens.
struct LoopbackAddress: Hashable, Sendable, CustomStringConvertible {
    var host = "127.0.0.1"
    var port: UInt16

    var description: String { "\(host):\(port)" }
}

/// What one run of the load generator saw.
struct LoadTally: Sendable {
    /// Operations that were answered within the time that is counted.
    var operations = 0
    var reads = Latencies()
    var writes = Latencies()
    /// Answered operations in each second.
    var perSecond: [Int] = []
    /// Replies that were not what the operation asks for, by their words.
    var failures: [String: Int] = [:]
    /// Reads of keys that were not there, where that is no failure.
    var misses = 0
    /// Of an open loop: operations that the server left no room to send.
    var unsent = 0
    var unanswered = 0
    var generatorSeconds = 0.0

    /// More kinds of failures than this are counted together.
    static let maxFailureKinds = 8

    mutating func fail(_ words: String) {
        let isNew = failures[words] == nil
        failures[isNew && failures.count >= Self.maxFailureKinds ? "other failures" : words, default: 0] += 1
    }

    mutating func add(_ other: LoadTally) {
        operations += other.operations
        reads.add(other.reads)
        writes.add(other.writes)
        for (index, count) in other.perSecond.enumerated() {
            if index < perSecond.count { perSecond[index] += count } else { perSecond.append(count) }
        }
        failures.merge(other.failures, uniquingKeysWith: +)
        misses += other.misses
        unsent += other.unsent
        unanswered += other.unanswered
        generatorSeconds += other.generatorSeconds
    }

    var failureCount: Int { failures.values.reduce(0, +) + unanswered }

    var all: Latencies {
        var all = reads
        all.add(writes)
        return all
    }
}
