import Raft
import Testing

@testable import RoostNode

@Suite("ForwardAcceptor: forwarded segments enter the log once and in order")
struct ForwardAcceptorTests {
    private var acceptor = ForwardAcceptor()

    private mutating func judge(
        _ sequence: UInt64, after previous: UInt64, from node: UInt64 = 2, incarnation: UInt64 = 7, sentIn: UInt64 = 5,
        leaderTerm: UInt64 = 5
    ) -> ForwardAcceptor.Verdict {
        acceptor.judge(
            origin: NodeID(node), incarnation: incarnation, sentIn: Term(sentIn), previous: previous,
            sequence: sequence,
            leaderTerm: Term(leaderTerm))
    }

    @Test mutating func `a stream is taken in order`() {
        #expect(judge(4, after: 0) == .accept)
        #expect(judge(5, after: 4) == .accept)
        #expect(judge(9, after: 5) == .accept)
    }

    @Test mutating func `what came already is a duplicate`() {
        #expect(judge(4, after: 0) == .accept)
        #expect(judge(4, after: 0) == .duplicate)
        #expect(judge(5, after: 4) == .accept)
        #expect(judge(4, after: 0) == .duplicate)
    }

    @Test mutating func `nothing overtakes a lost frame`() {
        #expect(judge(5, after: 4) == .gap)
        #expect(judge(4, after: 0) == .accept)
        #expect(judge(6, after: 5) == .gap)
        #expect(judge(5, after: 4) == .accept)
        #expect(judge(6, after: 5) == .accept)
    }

    @Test mutating func `a segment sent in another term is refused`() {
        #expect(judge(1, after: 0, sentIn: 4) == .otherTerm)
        #expect(judge(1, after: 0, sentIn: 6) == .otherTerm)
    }

    @Test mutating func `a new term starts all streams anew`() {
        #expect(judge(1, after: 0) == .accept)
        #expect(judge(2, after: 1) == .accept)
        #expect(judge(2, after: 0, sentIn: 6, leaderTerm: 6) == .accept)
        #expect(judge(3, after: 2, sentIn: 6, leaderTerm: 6) == .accept)
    }

    @Test mutating func `a new process of the same node starts a stream of its own`() {
        #expect(judge(8, after: 0) == .accept)
        #expect(judge(1, after: 0, incarnation: 8) == .accept)
        #expect(judge(2, after: 1, incarnation: 8) == .accept)
        #expect(judge(9, after: 8) == .gap)
    }

    @Test mutating func `origins do not mix`() {
        #expect(judge(1, after: 0, from: 2) == .accept)
        #expect(judge(1, after: 0, from: 3) == .accept)
        #expect(judge(2, after: 1, from: 3) == .accept)
        #expect(judge(2, after: 1, from: 2) == .accept)
    }
}
