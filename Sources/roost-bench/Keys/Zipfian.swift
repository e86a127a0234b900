import Foundation

/// Ranks of which the k-th is asked for in proportion to 1 / k^theta, without a table (Gray et al., "Quickly Generating
/// Billion-Record Synthetic Databases", 1994; YCSB's `ZipfianGenerator`).
struct Zipfian: Sendable {
    /// YCSB's skew.
    static let theta = 0.99

    let items: UInt64
    private let theta: Double
    private let zetaN: Double
    private let alpha: Double
    private let eta: Double
    private let boundOfSecond: Double

    /// - Parameter zeta: the sum of 1 / k^theta over all items, where it is known: it takes a loop over them.
    init(items: UInt64, theta: Double = Self.theta, zeta: Double? = nil) {
        precondition(items > 1 && theta > 0 && theta < 1)
        (self.items, self.theta) = (items, theta)
        zetaN = zeta ?? Self.zeta(items, theta)
        alpha = 1 / (1 - theta)
        eta = (1 - pow(2 / Double(items), 1 - theta)) / (1 - Self.zeta(2, theta) / zetaN)
        boundOfSecond = 1 + pow(0.5, theta)
    }

    /// The rank, 0 the most frequent, for a number in [0, 1).
    func rank(_ unit: Double) -> UInt64 {
        let scaled = unit * zetaN
        if scaled < 1 { return 0 }
        if scaled < boundOfSecond { return 1 }
        return min(items - 1, UInt64(Double(items) * pow(eta * unit - eta + 1, alpha)))
    }

    static func zeta(_ items: UInt64, _ theta: Double) -> Double {
        var sum = 0.0
        for rank in 1...items { sum += 1 / pow(Double(rank), theta) }
        return sum
    }
}

/// YCSB's `ScrambledZipfianGenerator`: ranks of ten thousand million items, hashed onto the keys, so that the frequent
/// keys lie apart from each other.
struct ScrambledZipfian: Sendable {
    /// YCSB's `ITEM_COUNT` and `ZETAN`.
    private static let ranks = Zipfian(items: 10_000_000_000, zeta: 26.469_028_201_783_02)

    let keys: UInt64

    func key(_ unit: Double) -> UInt64 { Self.fnv(Self.ranks.rank(unit)) % keys }

    /// FNV-1a over the eight bytes, the sign dropped, as YCSB's `fnvhash64` does.
    static func fnv(_ value: UInt64) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        var rest = value
        for _ in 0..<8 {
            hash = (hash ^ (rest & 0xFF)) &* 1_099_511_628_211
            rest >>= 8
        }
        return Int64(bitPattern: hash).magnitude
    }
}
