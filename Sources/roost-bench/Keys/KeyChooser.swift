import ArgumentParser

/// How the keys of a workload are spread.
enum KeyDistribution: String, Codable, CaseIterable, Sendable, ExpressibleByArgument {
    case uniform
    /// YCSB's scrambled Zipfian, theta 0.99: of 100,000 keys the most frequent gets 4 % of all operations.
    case zipf
}

/// Chooses the keys of one thread of a load.
struct KeyChooser: Sendable {
    private enum Choice: Sendable {
        case uniform
        case zipf(ScrambledZipfian)
        case latest(Zipfian)
        /// Each key once, of every `threads`-th; for filling.
        case sequence
    }

    private let records: UInt64
    private let thread: UInt64
    private let threads: UInt64
    private let choice: Choice
    private var random: SplitMix64
    private var position: UInt64 = 0
    private(set) var inserts = InsertWindow()

    init(_ workload: Workload, records: Int, thread: Int, threads: Int, seed: UInt64) {
        (self.records, self.thread, self.threads) = (UInt64(records), UInt64(thread), UInt64(threads))
        choice =
            switch (workload.traffic, workload.keys) {
            case (.fill, _): .sequence
            case (.ycsbD, _): .latest(Zipfian(items: max(2, UInt64(records))))
            case (_, .uniform): .uniform
            case (_, .zipf): .zipf(ScrambledZipfian(keys: UInt64(records)))
            }
        random = SplitMix64(seed: seed &+ UInt64(thread) &* 0x5851_F42D_4C95_7F2D)
    }

    /// What a sequence still has to give; for others without end.
    var isExhausted: Bool {
        if case .sequence = choice { position * threads + thread >= records } else { false }
    }

    /// A number in 0..<100, by which the kind of an operation is drawn.
    mutating func percent() -> Int { Int(random.below(100)) }

    /// A key that was written before, or in a sequence the next one.
    mutating func existing() -> UInt64 {
        switch choice {
        case .uniform: return random.below(records)
        case .zipf(let zipf): return zipf.key(random.unit())
        case .latest(let zipf): return latest(zipf.rank(random.unit()))
        case .sequence:
            defer { position += 1 }
            return position * threads + thread
        }
    }

    /// A key that nobody has written, nil while too many inserts are under way. Threads take turns in the key space.
    mutating func inserted() -> UInt64? { inserts.begin().map(key(ofInsert:)) }

    mutating func acknowledge(insertOf key: UInt64) { inserts.acknowledge((key - records - thread) / threads) }

    private func key(ofInsert number: UInt64) -> UInt64 { records + thread + number * threads }

    /// The key of that age, 0 the newest that is acknowledged.
    private func latest(_ age: UInt64) -> UInt64 {
        if age < inserts.acknowledged { return key(ofInsert: inserts.acknowledged - 1 - age) }
        return records - 1 - min(records - 1, age - inserts.acknowledged)
    }
}
