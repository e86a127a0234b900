/// A stream of pseudo-random numbers (SplitMix64). Each subsystem of a world has one of its own, forked from the seed, so
/// that switching one subsystem's faults off does not change what the others draw.
package struct RandomStream: Hashable, Sendable {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    /// A stream that depends on this stream's seed and `purpose` alone; this one does not move.
    package func fork(_ purpose: Purpose, _ part: UInt64 = 0) -> RandomStream {
        var mixer = RandomStream(
            seed: state ^ purpose.rawValue &* 0xD6E8_FEB8_6659_FD93 ^ part &* 0xA076_1D64_78BD_642F)
        return RandomStream(seed: mixer.next())
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; 0 when `bound` is 0.
    package mutating func below(_ bound: UInt64) -> UInt64 { next().multipliedFullWidth(by: bound).high }

    package mutating func below(_ bound: Int) -> Int { Int(below(UInt64(max(0, bound)))) }

    package mutating func integer(in range: ClosedRange<Int>) -> Int {
        range.lowerBound + below(range.upperBound - range.lowerBound + 1)
    }

    package mutating func integer(in range: ClosedRange<UInt64>) -> UInt64 {
        range.lowerBound + below(range.upperBound - range.lowerBound + 1)
    }

    /// True in `parts` of 10,000 cases.
    package mutating func chance(_ parts: Int) -> Bool { parts > 0 && below(10_000) < parts }

    /// - Precondition: `items` is not empty.
    package mutating func pick<T>(_ items: [T]) -> T { items[below(items.count)] }

    /// What `duration(mean:)` never exceeds.
    package static func longest(mean: UInt64) -> UInt64 { 16 * mean }

    /// A length of time around `mean`: mostly below twice that, now and then up to eight times. (An exponential
    /// distribution needs a logarithm, whose last bits differ between C libraries.)
    package mutating func duration(mean: UInt64) -> UInt64 {
        let draw = next()
        let scale: UInt64 = draw & 31 == 0 ? 8 : draw & 7 == 0 ? 3 : 1
        return (draw >> 8).multipliedFullWidth(by: 2 &* mean &* scale).high << 8
            &+ ((draw >> 8) &* (2 &* mean &* scale)) >> 56
    }
}

extension RandomStream {
    /// What a stream is for. Numbers are never reused: they are part of what a seed means.
    package enum Purpose: UInt64, Sendable {
        case options = 1
        case network = 2
        case disk = 3
        case clock = 4
        case clients = 5
        case faults = 6
        case core = 7
        case driver = 8
        case buggify = 9
        case membership = 10
        case checking = 11
        case corruption = 12
    }
}
