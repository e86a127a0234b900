import ByteCoding
import Raft
import Testing

@Suite("Election restriction (Raft paper, 5.4.1)")
struct ElectionRestrictionTests {
    @Test(arguments: [[1], [1, 2], [1, 2, 2]] as [[UInt64]])
    func `a request for a vote tells the candidate's last entry`(terms: [UInt64]) {
        var node = TestNode(restored: .log(terms: terms), configure: plain)
        node.timeOut()
        let last = id(terms.last!, UInt64(terms.count))
        let term = Term(terms.last! + 1)
        #expect(
            node.said() == [
                Said(2, term, .voteRequest(last: last, isTransfer: false)),
                Said(3, term, .voteRequest(last: last, isTransfer: false)),
            ])
    }

    struct Comparison: Sendable {
        var own: [UInt64]
        var last: EntryID
        var isGranted: Bool
    }

    static let comparisons = [
        // The same log.
        Comparison(own: [1], last: id(1, 1), isGranted: true),
        Comparison(own: [1], last: id(1, 2), isGranted: true),
        Comparison(own: [1, 1], last: id(1, 1), isGranted: false),
        // The candidate's last term is higher.
        Comparison(own: [1], last: id(2, 1), isGranted: true),
        Comparison(own: [1], last: id(2, 2), isGranted: true),
        Comparison(own: [1, 1], last: id(2, 1), isGranted: true),
        // The voter's last term is higher.
        Comparison(own: [2], last: id(1, 1), isGranted: false),
        Comparison(own: [2], last: id(1, 2), isGranted: false),
        Comparison(own: [2, 2], last: id(1, 1), isGranted: false),
        Comparison(own: [], last: .zero, isGranted: true),
    ]

    @Test(arguments: comparisons) func `a voter refuses a candidate with an older log`(_ comparison: Comparison) {
        var node = TestNode(restored: .log(terms: comparison.own), configure: plain)
        node.receive(from: 2, term: 3, .voteRequest(last: comparison.last, isTransfer: false))
        #expect(node.said() == [Said(2, 3, .voteResponse(granted: comparison.isGranted))])
        #expect(node.disk.hardState == HardState(term: 3, vote: comparison.isGranted ? 2 : nil))
    }

    @Test(arguments: comparisons) func `the same holds for pre-votes, which change nothing`(_ comparison: Comparison) {
        var node = TestNode(restored: .log(terms: comparison.own, term: 2))
        node.receive(from: 2, term: 3, .preVoteRequest(last: comparison.last))
        let answer =
            comparison.isGranted
            ? Said(2, 3, .preVoteResponse(granted: true)) : Said(2, 2, .preVoteResponse(granted: false))
        #expect(node.said() == [answer])
        #expect(node.disk.hardState == HardState(term: 2))
        #expect(node.core.term == 2)
    }
}
