/// Names one replicated log. Every message, stored key and ticket carries it, so that many groups can share a process,
/// a disk and an fsync. Group 1 is the only one at first.
public struct GroupID: RawRepresentable, Hashable, Comparable, Sendable {
    public var rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    public init(_ value: UInt64) { rawValue = value }
    public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// Names one node for ever: an id is never reused, a node that lost its disk comes back under a new one. 0 is no node.
public struct NodeID: RawRepresentable, Hashable, Comparable, Sendable {
    public var rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    public init(_ value: UInt64) { rawValue = value }
    public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// A logical clock: each term has at most one leader (Raft paper, section 5.1). 0 is before the first election.
public struct Term: RawRepresentable, Hashable, Comparable, Sendable {
    public var rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    public init(_ value: UInt64) { rawValue = value }
    public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
    public static let zero = Term(0)
    /// No election gets this far; a message that claims a later term is nonsense, and counting on from it would overflow.
    static let highest = Term(UInt64.max / 2)
    public var next: Term { Term(rawValue + 1) }
}

/// A position in a group's log. The first entry has index 1; 0 is the empty position before it.
public struct LogIndex: RawRepresentable, Hashable, Comparable, Sendable {
    public var rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    public init(_ value: UInt64) { rawValue = value }
    public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
    public static let zero = LogIndex(0)
    public var next: LogIndex { LogIndex(rawValue + 1) }

    /// The index before this one; `.zero` stays `.zero`.
    public var previous: LogIndex { LogIndex(rawValue == 0 ? 0 : rawValue - 1) }

    /// How many entries lie in `other ..< self`; 0 when `other` is not smaller.
    public func distance(from other: LogIndex) -> UInt64 { rawValue > other.rawValue ? rawValue - other.rawValue : 0 }
}

/// What identifies an entry: if two logs hold an entry with the same term and index, they agree up to it
/// (Log Matching, Raft paper, figure 3). Ordered as logs are compared in elections: by term, then by index.
public struct EntryID: Hashable, Comparable, Sendable {
    public var term: Term
    public var index: LogIndex
    public init(term: Term, index: LogIndex) {
        self.term = term
        self.index = index
    }
    public static func < (a: Self, b: Self) -> Bool { (a.term, a.index) < (b.term, b.index) }

    /// The position before the first entry.
    public static let zero = EntryID(term: .zero, index: .zero)
}

/// A reading of a clock that never goes back, in nanoseconds since some moment before the node started.
///
/// The core never reads a clock: every `step` is told the time.
public struct MonotonicTime: Hashable, Comparable, Sendable {
    public var nanoseconds: UInt64
    public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }
    public static func < (a: Self, b: Self) -> Bool { a.nanoseconds < b.nanoseconds }
    public static let zero = MonotonicTime(nanoseconds: 0)
    public static let never = MonotonicTime(nanoseconds: .max)

    /// This time plus a non-negative duration; saturates at `.never`.
    public func advanced(by duration: Duration) -> MonotonicTime {
        let (sum, overflow) = nanoseconds.addingReportingOverflow(duration.wholeNanoseconds)
        return overflow ? .never : MonotonicTime(nanoseconds: sum)
    }

    /// The time since `earlier`; zero when `earlier` is later.
    public func since(_ earlier: MonotonicTime) -> Duration {
        .nanoseconds(Int64(clamping: nanoseconds > earlier.nanoseconds ? nanoseconds - earlier.nanoseconds : 0))
    }
}

extension Duration {
    /// Whole nanoseconds; negative durations are 0, those beyond 584 years are `.max`.
    public var wholeNanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let (product, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? .max : product &+ UInt64(attoseconds / 1_000_000_000)
    }
}

extension GroupID: CustomStringConvertible { public var description: String { "\(rawValue)" } }
extension NodeID: CustomStringConvertible { public var description: String { "\(rawValue)" } }
extension Term: CustomStringConvertible { public var description: String { "\(rawValue)" } }
extension LogIndex: CustomStringConvertible { public var description: String { "\(rawValue)" } }
extension EntryID: CustomStringConvertible { public var description: String { "\(term)/\(index)" } }
