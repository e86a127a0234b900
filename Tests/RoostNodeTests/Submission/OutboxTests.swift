import ByteCoding
import Raft
import Testing

@testable import RoostNode

@Suite("Outbox: segments on their way to the log")
struct OutboxTests {
    private let leader2 = Outbox.Route(leader: NodeID(2), term: Term(5))

    private func time(_ milliseconds: UInt64) -> MonotonicTime {
        MonotonicTime(nanoseconds: 1_000_000_000 + milliseconds * 1_000_000)
    }

    private func outbox(_ sequences: ClosedRange<UInt64>, maxSentBytes: Int = 16 << 20) -> Outbox {
        var outbox = Outbox(limits: .init(maxSentBytes: maxSentBytes))
        for sequence in sequences { outbox.enqueue(sequence: sequence, segment: Bytes("seg\(sequence)"), at: time(0)) }
        return outbox
    }

    @Test func `nothing is sent before a leader is known`() {
        var outbox = outbox(1...2)
        #expect(outbox.takeSends(isLocal: false, at: time(1)).isEmpty)
        outbox.setRoute(leader2)
        #expect(outbox.takeSends(isLocal: false, at: time(2)).map(\.sequence) == [1, 2])
        #expect(outbox.takeSends(isLocal: false, at: time(3)).isEmpty)
    }

    @Test func `each segment of a term names the one before it`() {
        var outbox = outbox(1...3)
        outbox.setRoute(leader2)
        #expect(outbox.takeSends(isLocal: false, at: time(0)).map(\.previous) == [0, 1, 2])
        outbox.settled(1, at: time(1))
        outbox.enqueue(sequence: 4, segment: "seg4", at: time(1))
        #expect(outbox.takeSends(isLocal: false, at: time(1)).map(\.previous) == [3])
    }

    @Test func `a new link sends again what is not settled, with the same links`() {
        var outbox = outbox(1...3)
        outbox.setRoute(leader2)
        _ = outbox.takeSends(isLocal: false, at: time(0))
        outbox.settled(1, at: time(1))
        outbox.linkReset()
        let again = outbox.takeSends(isLocal: false, at: time(2))
        #expect(again.map(\.sequence) == [2, 3])
        #expect(again.map(\.previous) == [1, 2])
    }

    @Test func `what stays unsettled is sent again after the interval, then ever more rarely`() {
        var outbox = outbox(1...1)
        outbox.setRoute(leader2)
        _ = outbox.takeSends(isLocal: false, at: time(0))
        #expect(outbox.takeSends(isLocal: false, at: time(499)).isEmpty)
        #expect(outbox.nextDeadline <= time(500))
        #expect(outbox.takeSends(isLocal: false, at: time(500)).count == 1)
        #expect(outbox.takeSends(isLocal: false, at: time(1499)).isEmpty)
        #expect(outbox.takeSends(isLocal: false, at: time(1500)).count == 1)
    }

    @Test func `what this node proposed to itself is never sent again`() {
        var outbox = outbox(1...1)
        outbox.setRoute(.init(leader: NodeID(1), term: Term(5)))
        #expect(outbox.takeSends(isLocal: true, at: time(0)).count == 1)
        outbox.linkReset()
        #expect(outbox.takeSends(isLocal: true, at: time(4000)).isEmpty)
    }

    @Test func `nothing overtakes a segment whose fate in an older term is open`() {
        var outbox = outbox(1...2)
        outbox.setRoute(leader2)
        _ = outbox.takeSends(isLocal: false, at: time(0))
        outbox.enqueue(sequence: 3, segment: "seg3", at: time(1))
        outbox.setRoute(.init(leader: NodeID(3), term: Term(6)))
        #expect(outbox.takeSends(isLocal: false, at: time(1)).isEmpty)
        // 1 was applied; then an entry of term 6: so 2 never will be.
        outbox.settled(1, at: time(2))
        outbox.applied(term: Term(6))
        let sends = outbox.takeSends(isLocal: false, at: time(2))
        #expect(sends.map(\.sequence) == [2, 3])
        #expect(sends.map(\.previous) == [0, 2])
    }

    @Test func `an applied entry of the same term proves nothing lost`() {
        var outbox = outbox(1...1)
        outbox.setRoute(leader2)
        _ = outbox.takeSends(isLocal: false, at: time(0))
        outbox.applied(term: Term(5))
        #expect(outbox.takeSends(isLocal: false, at: time(1)).isEmpty)
        #expect(outbox.count == 1)
    }

    @Test func `a parked segment expires as certainly not applied`() {
        var outbox = outbox(1...1)
        #expect(outbox.expire(at: time(1999)).isEmpty)
        #expect(outbox.nextDeadline == time(2000))
        let expired = outbox.expire(at: time(2000))
        #expect(expired.map(\.sequence) == [1])
        #expect(expired.map(\.expiry) == [.noLeader])
        #expect(outbox.isEmpty)
    }

    @Test func `a parked segment with a leader that takes no more expires as busy`() {
        var outbox = outbox(1...2, maxSentBytes: 4)
        outbox.setRoute(leader2)
        #expect(outbox.takeSends(isLocal: false, at: time(0)).map(\.sequence) == [1])
        #expect(outbox.expire(at: time(2000)).map(\.expiry) == [.busy])
        #expect(outbox.count == 1)
    }

    @Test func `a sent segment is in doubt once, and stays to keep the stream whole`() {
        var outbox = outbox(1...2)
        outbox.setRoute(leader2)
        _ = outbox.takeSends(isLocal: false, at: time(0))
        #expect(outbox.expire(at: time(4999)).isEmpty)
        #expect(outbox.expire(at: time(5000)).map(\.expiry) == [.inDoubt, .inDoubt])
        #expect(outbox.expire(at: time(9000)).isEmpty)
        outbox.linkReset()
        #expect(outbox.takeSends(isLocal: false, at: time(9000)).map(\.sequence) == [1, 2])
    }

    @Test func `a segment in doubt that turns out lost is not sent again`() {
        var outbox = outbox(1...1)
        outbox.setRoute(leader2)
        _ = outbox.takeSends(isLocal: false, at: time(0))
        _ = outbox.expire(at: time(5000))
        outbox.setRoute(.init(leader: NodeID(3), term: Term(6)))
        outbox.applied(term: Term(6))
        #expect(outbox.isEmpty)
        #expect(outbox.takeSends(isLocal: false, at: time(5001)).isEmpty)
    }

    @Test func `the window counts what is sent and opens as segments settle`() {
        var outbox = outbox(1...3, maxSentBytes: 8)
        outbox.setRoute(leader2)
        #expect(outbox.takeSends(isLocal: false, at: time(0)).map(\.sequence) == [1, 2])
        outbox.settled(1, at: time(1))
        #expect(outbox.takeSends(isLocal: false, at: time(1)).map(\.sequence) == [3])
    }

    @Test func `the same leader after a moment without one goes on with its stream`() {
        var outbox = outbox(1...1)
        outbox.setRoute(leader2)
        _ = outbox.takeSends(isLocal: false, at: time(0))
        outbox.setRoute(nil)
        outbox.enqueue(sequence: 2, segment: "seg2", at: time(1))
        #expect(outbox.nextDeadline == time(2001), "without a leader nothing is due but expiry")
        outbox.setRoute(leader2)
        let sends = outbox.takeSends(isLocal: false, at: time(1))
        #expect(sends.map(\.sequence) == [1, 2])
        #expect(sends.map(\.previous) == [0, 1])
    }

    @Test func `what a snapshot may have swallowed is in doubt, and never sent in a later term`() {
        var outbox = outbox(1...2)
        outbox.setRoute(leader2)
        _ = outbox.takeSends(isLocal: false, at: time(0))
        outbox.enqueue(sequence: 3, segment: "parked", at: time(1))
        #expect(outbox.snapshotInstalled(term: Term(5)) == [1, 2])
        #expect(outbox.snapshotInstalled(term: Term(5)).isEmpty, "each is answered once")

        // In the same term they keep their place in the stream: they may still come.
        #expect(outbox.takeSends(isLocal: false, at: time(2)).map(\.previous) == [2])
        outbox.setRoute(.init(leader: NodeID(3), term: Term(6)))
        outbox.applied(term: Term(6))
        #expect(outbox.takeSends(isLocal: false, at: time(3)).map(\.sequence) == [3])
    }

    @Test func `what was sent after the snapshot's term is not touched by it`() {
        var outbox = outbox(1...1)
        outbox.setRoute(leader2)
        _ = outbox.takeSends(isLocal: false, at: time(0))
        #expect(outbox.snapshotInstalled(term: Term(4)).isEmpty)
        outbox.applied(term: Term(6))
        outbox.setRoute(.init(leader: NodeID(3), term: Term(6)))
        #expect(outbox.takeSends(isLocal: false, at: time(1)).map(\.sequence) == [1])
    }

    @Test func `a snapshot of a later term ends what was sent before, and frees its room`() {
        var outbox = outbox(1...2, maxSentBytes: 4)
        outbox.setRoute(leader2)
        #expect(outbox.takeSends(isLocal: false, at: time(0)).map(\.sequence) == [1])
        #expect(outbox.snapshotInstalled(term: Term(6)) == [1])
        outbox.setRoute(.init(leader: NodeID(3), term: Term(7)))
        #expect(outbox.takeSends(isLocal: false, at: time(1)).map(\.sequence) == [2])
    }
}
