import Raft

/// One node's monotonic clock: it runs faster or slower than true time and may jump ahead, but never goes back.
struct NodeClock {
    private static let one: UInt64 = 1_000_000

    /// Where the present rate began.
    private var since = WorldTime.zero
    private var reading: UInt64
    /// Parts per million of true time.
    private(set) var rate: UInt64

    /// - Parameters:
    ///   - start: what the clock shows at the world's beginning: nodes don't share an epoch.
    ///   - rate: how fast it runs, in parts per million of true time.
    init(start: UInt64, rate: UInt64 = 1_000_000) {
        reading = start
        self.rate = rate
    }

    func time(at world: WorldTime) -> MonotonicTime {
        MonotonicTime(nanoseconds: reading + Self.scaled(world.since(since), by: rate, over: Self.one))
    }

    /// The first moment at which the clock shows `time` or more; `.never` for `.never`.
    func moment(of time: MonotonicTime) -> WorldTime {
        guard time != .never else { return .never }
        guard time.nanoseconds > reading else { return since }
        // Rounded up: a timer that came too early would have to be set again.
        return since.advanced(by: Self.scaled(time.nanoseconds - reading, by: Self.one, over: rate) + 1)
    }

    mutating func run(at newRate: UInt64, from world: WorldTime) {
        settle(at: world)
        rate = newRate
    }

    mutating func jump(ahead nanoseconds: UInt64, at world: WorldTime) {
        settle(at: world)
        reading += nanoseconds
    }

    private mutating func settle(at world: WorldTime) {
        reading = time(at: world).nanoseconds
        since = world
    }

    private static func scaled(_ value: UInt64, by factor: UInt64, over divisor: UInt64) -> UInt64 {
        divisor.dividingFullWidth(value.multipliedFullWidth(by: factor)).quotient
    }
}
