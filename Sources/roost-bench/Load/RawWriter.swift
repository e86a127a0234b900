import RocksDB

/// What each thread of the yardstick does: random keys, synced, singly or in batches.
struct RawWriter: Sendable {
    /// The pairs written in the time that is counted, and how long each waited to be synced.
    struct Tally: Sendable {
        var count = 0
        var latencies = Latencies()

        mutating func note(_ pairs: Int, from begun: UInt64, _ countedFrom: UInt64, _ end: UInt64) {
            let now = monotonicNow()
            if now >= countedFrom, now < end { count += pairs }
            if begun >= countedFrom { for _ in 0..<pairs { latencies.record(nanoseconds: now - begun) } }
        }
    }

    let database: Database
    let family: ColumnFamily
    let batch: Int
    let valueBytes: Int
    let records: UInt64
    /// The time that is counted; nanoseconds of the monotonic clock.
    let countedFrom: UInt64
    let end: UInt64

    func run(seed: UInt64) -> Result<Tally, RocksDBError> {
        do {
            return .success(try batch == 1 ? single(seed) : batched(seed))
        } catch {
            return .failure(error)
        }
    }

    private func single(_ seed: UInt64) throws(RocksDBError) -> Tally {
        var pairs = Pairs(valueBytes: valueBytes, records: records, seed: seed)
        var tally = Tally()
        while true {
            let begun = monotonicNow()
            if begun >= end { return tally }
            pairs.next()
            try database.put(pairs.key.span.bytes, pairs.value.span.bytes, in: family, .synced)
            tally.note(1, from: begun, countedFrom, end)
        }
    }

    private func batched(_ seed: UInt64) throws(RocksDBError) -> Tally {
        var pairs = Pairs(valueBytes: valueBytes, records: records, seed: seed)
        var tally = Tally()
        var writes = WriteBatch()
        while true {
            let begun = monotonicNow()
            if begun >= end { return tally }
            writes.clear()
            for _ in 0..<batch {
                pairs.next()
                writes.put(pairs.key.span.bytes, pairs.value.span.bytes, in: family)
            }
            try database.write(&writes, .synced)
            tally.note(batch, from: begun, countedFrom, end)
        }
    }

    /// The same keys and the same kind of values that go over the network to the others.
    private struct Pairs {
        private let records: UInt64
        private var random: SplitMix64
        private(set) var key = Array("key-000000000000".utf8)
        private(set) var value: [UInt8]

        init(valueBytes: Int, records: UInt64, seed: UInt64) {
            self.records = records
            random = SplitMix64(seed: seed)
            value = [UInt8](repeating: 0, count: valueBytes)
        }

        mutating func next() {
            var number = random.below(records)
            for position in stride(from: key.count - 1, through: 4, by: -1) {
                key[position] = UInt8(ascii: "0") + UInt8(number % 10)
                number /= 10
            }
            var position = 0
            while position < value.count {
                var word = random.next()
                for _ in 0..<min(8, value.count - position) {
                    value[position] = UInt8(truncatingIfNeeded: word)
                    word >>= 8
                    position += 1
                }
            }
        }
    }
}
