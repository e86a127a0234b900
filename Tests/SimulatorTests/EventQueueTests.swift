import Raft
import Testing

@testable import Simulator

@Suite("Simulator: event queue, clocks, random streams")
struct EventQueueTests {
    @Test func `events come by time, and at one time in the order in which they were planned`() {
        var queue = EventQueue()
        var random = RandomStream(seed: 1)
        var expected: [(time: UInt64, number: Int32)] = []
        for number in 0..<2_000 as Range<Int32> {
            let time = random.below(UInt64(300))
            expected.append((time, number))
            queue.plan(.client(number), at: WorldTime(nanoseconds: time))
        }
        expected.sort { ($0.time, $0.number) < ($1.time, $1.number) }
        for item in expected {
            let next = queue.next()
            #expect(next?.time.nanoseconds == item.time)
            guard case .client(let number)? = next?.event else {
                Issue.record("no event at \(item)")
                return
            }
            #expect(number == item.number)
        }
        #expect(queue.count == 0)
    }

    @Test func `a clock's moment is the first at which it shows the time`() {
        var random = RandomStream(seed: 2)
        for _ in 0..<2_000 {
            let rate = random.integer(in: 900_000...1_100_000 as ClosedRange<UInt64>)
            var clock = NodeClock(start: random.below(1 << 40 as UInt64), rate: rate)
            if random.chance(5_000) {
                clock.jump(ahead: random.below(1 << 30 as UInt64), at: WorldTime(nanoseconds: 77))
            }
            let now = WorldTime(nanoseconds: random.below(1 << 40 as UInt64) + 100)
            let wanted = clock.time(at: now).advanced(by: .nanoseconds(Int64(random.below(1 << 35 as UInt64))))
            let moment = clock.moment(of: wanted)
            #expect(clock.time(at: moment) >= wanted)
            // Rounding up may cost two nanoseconds of true time, no more.
            #expect(clock.time(at: WorldTime(nanoseconds: moment.nanoseconds - 3)) < wanted || moment <= now)
        }
    }

    @Test func `a clock never goes back when its rate changes or it jumps`() {
        var random = RandomStream(seed: 3)
        var clock = NodeClock(start: 5)
        var (world, shown) = (WorldTime.zero, clock.time(at: .zero))
        for _ in 0..<2_000 {
            world = world.advanced(by: random.below(1_000_000 as UInt64))
            switch random.below(3) {
            case 0: clock.run(at: random.integer(in: 500_000...2_000_000 as ClosedRange<UInt64>), from: world)
            case 1: clock.jump(ahead: random.below(1_000 as UInt64), at: world)
            default: break
            }
            let time = clock.time(at: world)
            #expect(time >= shown)
            shown = time
        }
    }

    @Test func `durations scatter around their mean and have a tail`() {
        var random = RandomStream(seed: 4)
        let drawn = (0..<20_000).map { _ in random.duration(mean: 1_000) }
        let mean = drawn.reduce(0, +) / UInt64(drawn.count)
        #expect((800...2_000).contains(mean))
        #expect(drawn.contains { $0 > 8_000 })
        #expect(drawn.allSatisfy { $0 < 16_000 })
        #expect(random.duration(mean: 0) == 0)
    }
}
