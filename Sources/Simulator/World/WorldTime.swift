/// True time of a simulated world, in nanoseconds since its beginning. Nodes never see it: they see their `NodeClock`.
package struct WorldTime: Hashable, Comparable, Sendable {
    package var nanoseconds: UInt64

    package init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    package static let zero = WorldTime(nanoseconds: 0)
    package static let never = WorldTime(nanoseconds: .max)

    package static func < (a: Self, b: Self) -> Bool { a.nanoseconds < b.nanoseconds }

    /// This time plus `nanoseconds`; saturates at `.never`.
    package func advanced(by nanoseconds: UInt64) -> WorldTime {
        let (sum, overflow) = self.nanoseconds.addingReportingOverflow(nanoseconds)
        return overflow ? .never : WorldTime(nanoseconds: sum)
    }

    /// How long ago `earlier` was; 0 when it is not earlier.
    package func since(_ earlier: WorldTime) -> UInt64 {
        nanoseconds > earlier.nanoseconds ? nanoseconds - earlier.nanoseconds : 0
    }

    package var seconds: Double { Double(nanoseconds) / 1e9 }
}

/// Lengths of time in nanoseconds, as the simulator counts them.
package enum Nanoseconds {
    package static let perMicrosecond: UInt64 = 1_000
    package static let perMillisecond: UInt64 = 1_000_000
    package static let perSecond: UInt64 = 1_000_000_000
}

extension WorldTime: CustomStringConvertible {
    /// Seconds with six digits, without floating point: `12.345678`.
    package var description: String {
        let micros = nanoseconds / Nanoseconds.perMicrosecond
        let fraction = String(micros % 1_000_000)
        return "\(micros / 1_000_000).\(String(repeating: "0", count: 6 - fraction.utf8.count))\(fraction)"
    }
}
