/// Moments and durations as people read them. All in nanoseconds, without rounding: two moments that differ look so.
enum TimeText {
    /// A moment in the unit that its history is shown in.
    static func moment(_ nanoseconds: UInt64, _ unit: TimeUnit) -> String {
        "\(decimal(nanoseconds, unit)) \(unit.name)"
    }

    /// A duration in a unit of its own.
    static func duration(_ nanoseconds: UInt64) -> String {
        moment(nanoseconds, TimeUnit(fitting: nanoseconds))
    }

    /// The number alone.
    static func decimal(_ nanoseconds: UInt64, _ unit: TimeUnit) -> String {
        let (whole, rest) = nanoseconds.quotientAndRemainder(dividingBy: unit.nanoseconds)
        guard rest != 0 else { return "\(whole)" }
        var fraction = String(rest + unit.nanoseconds).dropFirst()
        while fraction.last == "0" { fraction.removeLast() }
        return "\(whole).\(fraction)"
    }
}

/// Units of time, a thousand apart.
struct TimeUnit: Hashable, Sendable {
    let name: String
    let nanoseconds: UInt64

    static let all = [
        TimeUnit(name: "s", nanoseconds: 1_000_000_000), TimeUnit(name: "ms", nanoseconds: 1_000_000),
        TimeUnit(name: "µs", nanoseconds: 1_000), TimeUnit(name: "ns", nanoseconds: 1),
    ]

    /// The largest in which the span is at least 1.
    init(fitting span: UInt64) { self = Self.all.first { span >= $0.nanoseconds } ?? Self.all.last! }

    private init(name: String, nanoseconds: UInt64) { (self.name, self.nanoseconds) = (name, nanoseconds) }
}
