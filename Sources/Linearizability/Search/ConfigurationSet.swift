/// The configurations that the search has seen: a hash table of records of equal width in two flat arrays, because a hard
/// history has millions of them.
///
/// A record is a key and the bits of the unknown operations used up. A configuration is covered by one with the same key
/// that has used up no others: whatever can follow the one can follow the other.
struct ConfigurationSet: Sendable {
    private let width: Int
    private let keyWidth: Int
    private var records: [UInt64] = []
    /// Number of the record + 1; 0 for a free place. The size is a power of two, at most two thirds of it in use.
    private var places: [Int32]
    private var recordCount = 0
    /// How many were new when they came.
    private(set) var count = 0

    /// - Parameters:
    ///   - width: words of one configuration.
    ///   - keyWidth: how many of these, from the first, are its key.
    init(width: Int, keyWidth: Int) {
        (self.width, self.keyWidth) = (width, keyWidth)
        places = Array(repeating: 0, count: 1 << 10)
    }

    /// Adds the configuration unless one that was added before covers it.
    ///
    /// - Returns: whether it was new.
    mutating func insert(_ configuration: [UInt64]) -> Bool {
        if 3 * (recordCount + 1) > 2 * places.count { grow() }
        var place = Int(truncatingIfNeeded: hash(configuration, at: 0)) & (places.count - 1)
        while places[place] != 0 {
            let start = (Int(places[place]) - 1) * width
            if hasKey(configuration, at: start) {
                if isSubset(records, start, of: configuration, 0) { return false }
                if isSubset(configuration, 0, of: records, start) {
                    for word in keyWidth..<width { records[start + word] = configuration[word] }
                    count += 1
                    return true
                }
            }
            place = (place + 1) & (places.count - 1)
        }
        records.append(contentsOf: configuration)
        recordCount += 1
        count += 1
        places[place] = Int32(recordCount)
        return true
    }

    private func hasKey(_ configuration: [UInt64], at start: Int) -> Bool {
        for word in 0..<keyWidth where configuration[word] != records[start + word] { return false }
        return true
    }

    private func isSubset(_ some: [UInt64], _ someStart: Int, of all: [UInt64], _ allStart: Int) -> Bool {
        for word in keyWidth..<width where some[someStart + word] & ~all[allStart + word] != 0 { return false }
        return true
    }

    private mutating func grow() {
        places = Array(repeating: 0, count: 2 * places.count)
        for record in 0..<recordCount {
            var place = Int(truncatingIfNeeded: hash(records, at: record * width)) & (places.count - 1)
            while places[place] != 0 { place = (place + 1) & (places.count - 1) }
            places[place] = Int32(record + 1)
        }
    }

    /// The finisher of SplitMix64, word by word. Not seeded: the search must take the same time in every run.
    private func hash(_ words: [UInt64], at start: Int) -> UInt64 {
        var hash: UInt64 = 0
        for word in start..<start + keyWidth {
            hash = (hash ^ words[word]) &+ 0x9E37_79B9_7F4A_7C15
            hash = (hash ^ (hash >> 30)) &* 0xBF58_476D_1CE4_E5B9
            hash = (hash ^ (hash >> 27)) &* 0x94D0_49BB_1331_11EB
            hash ^= hash >> 31
        }
        return hash
    }
}
