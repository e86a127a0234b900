import Testing

@testable import roost_bench

@Suite("An open loop keeps its times")
struct OpenLoopTests {
    @Test func `operations are due at a constant rate`() {
        var loop = OpenLoop(start: 1_000, end: 1_000 + 1_000_000_000, perSecond: 1_000)
        #expect(loop.due(at: 999) == nil)
        #expect(loop.due(at: 1_000) == 1_000)
        loop.advance()
        #expect(loop.due(at: 1_000_999) == nil)
        #expect(loop.due(at: 1_001_000) == 1_001_000)
    }

    @Test func `after a stall every operation keeps the moment at which it should have begun`() {
        var loop = OpenLoop(start: 0, end: 1_000_000_000, perSecond: 100)
        var moments: [UInt64] = []
        while let moment = loop.due(at: 55_000_000) {
            moments.append(moment)
            loop.advance()
        }
        #expect(moments == [0, 10, 20, 30, 40, 50].map { $0 * 1_000_000 })
    }

    @Test(arguments: [1, 2, 3])
    func `threads share the rate and leave none out`(threads: Int) {
        var moments: [UInt64] = []
        for thread in 0..<threads {
            var loop = OpenLoop(start: 0, end: 1_000_000_000, perSecond: 300, thread: thread, threads: threads)
            while let moment = loop.next {
                moments.append(moment)
                loop.advance()
            }
        }
        moments.sort()
        #expect(moments.count == 300)
        #expect(zip(moments, moments.dropFirst()).allSatisfy { abs(Double($1 - $0) - 1e9 / 300) < 2 })
    }
}
