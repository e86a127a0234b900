/// The core's only source of chance: Steele, Lea and Flood's SplitMix64 (2014), so that a seed repeats a run exactly.
struct SplitMix64: Hashable, Sendable {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; 0 when `bound` is 0. The bias of the multiplication is below 2^-30 for any bound used.
    mutating func next(below bound: UInt64) -> UInt64 { next().multipliedFullWidth(by: bound).high }

    /// A duration in `.zero ..< bound`.
    mutating func next(below bound: Duration) -> Duration {
        .nanoseconds(Int64(clamping: next(below: bound.wholeNanoseconds)))
    }
}
