import Testing

@testable import PeerTransport

@Suite("Pauses between attempts to dial")
struct BackoffTests {
    @Test(arguments: 0..<20 as Range<UInt64>)
    func `each failure doubles the pause up to the limit, less a random part of up to half`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var backoff = Backoff(min: .milliseconds(20), max: .milliseconds(100))
        for expected in [20, 40, 80, 100, 100, 100] {
            let pause = backoff.next(using: &random)
            #expect(pause >= .milliseconds(expected) / 2)
            #expect(pause <= .milliseconds(expected))
        }
        backoff.reset()
        let afterSuccess = backoff.next(using: &random)
        #expect(afterSuccess <= .milliseconds(20))
        backoff.saturate()
        let afterRefusal = backoff.next(using: &random)
        #expect(afterRefusal >= .milliseconds(50))
    }

    @Test func `two nodes do not return in step`() {
        let pauses = ([1, 2] as [UInt64]).map { seed in
            var random = SplitMix64(seed: seed)
            var backoff = Backoff(min: .milliseconds(20), max: .seconds(1))
            return (0..<5).map { _ in backoff.next(using: &random) }
        }
        #expect(pauses[0] != pauses[1])
    }
}
