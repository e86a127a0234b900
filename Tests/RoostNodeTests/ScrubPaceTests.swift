import Raft
import Testing

@testable import RoostNode

@Suite("Pace of the scrub")
struct ScrubPaceTests {
    private let start = MonotonicTime(nanoseconds: 1_000_000_000_000)

    @Test func `it reads so many bytes a second`() {
        var pace = ScrubPace(bytesPerSecond: 1 << 20, interval: .seconds(3600), now: start)
        #expect(pace.next == start.advanced(by: ScrubPace.firstDelay))
        let begin = pace.next
        for _ in 0..<8 { pace.didRead(128 << 10, at: pace.next) }
        #expect(pace.next == begin.advanced(by: .seconds(1)))
    }

    @Test func `what a slow disk cost is not made up for`() {
        var pace = ScrubPace(bytesPerSecond: 1000, interval: .seconds(3600), now: start)
        let late = pace.next.advanced(by: .seconds(90))
        pace.didRead(500, at: late)
        #expect(pace.next == late.advanced(by: .milliseconds(500)))
    }

    @Test func `it pauses between two passes, and a short pause is one before the first too`() {
        var pace = ScrubPace(bytesPerSecond: 1000, interval: .seconds(5), now: start)
        #expect(pace.next == start.advanced(by: .seconds(5)))
        pace.didEndPass(at: start.advanced(by: .seconds(8)))
        #expect(pace.next == start.advanced(by: .seconds(13)))
    }
}
