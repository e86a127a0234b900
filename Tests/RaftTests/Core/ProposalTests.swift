import ByteCoding
import Raft
import Testing

@Suite("Proposals and their exact outcomes")
struct ProposalTests {
    @Test func `a leader accepts in order and reports each commit`() {
        var node = TestNode.leader(configure: plain)
        node.propose("a", "b", token: 10)
        #expect(node.proposalEvents == ["accepted 10 1/2", "accepted 11 1/3"])
        _ = node.takeEvents()
        node.receive(from: 2, term: 1, .appendAccepted(matched: 2))
        #expect(node.proposalEvents == ["committed 10 1/2"])
        node.receive(from: 3, term: 1, .appendAccepted(matched: 3))
        #expect(node.proposalEvents == ["committed 10 1/2", "committed 11 1/3"])
    }

    @Test func `others refuse, and name the leader they know`() {
        var node = TestNode()
        node.propose("a", token: 1)
        node.follow(3, term: 1)
        node.propose("b", token: 2)
        node.timeOut()
        node.propose("c", token: 3)
        #expect(
            node.proposalEvents == [
                "refused 1 notLeader(leader: nil)", "refused 2 notLeader(leader: Optional(3))",
                "refused 3 notLeader(leader: nil)",
            ])
        #expect(node.core.lastIndex == 0)
    }

    @Test func `too many uncommitted bytes refuse, one proposal is always admitted`() {
        var node = TestNode.leader(configure: {
            plain(&$0)
            $0.maxUncommittedBytes = 300
        })
        let big = Bytes([UInt8](repeating: 1, count: 5000))
        node.propose(big, token: 1)
        node.propose("x", token: 2)
        #expect(node.proposalEvents == ["accepted 1 1/2", "refused 2 uncommittedLimit"])
        #expect(node.core.uncommittedBytes == 5064)
        node.receive(from: 2, term: 1, .appendAccepted(matched: 2))
        #expect(node.core.uncommittedBytes == 0)
        _ = node.takeEvents()
        for token in 3...9 as ClosedRange<UInt64> { node.propose("x", token: token) }
        #expect(node.proposalEvents.filter { $0.hasPrefix("accepted") }.count == 5, "65 bytes each")
    }

    @Test func `a new leader counts what it inherits, but not its no-op`() {
        let node = TestNode.leader(restored: .log(terms: [1, 1, 1], commit: 1, applied: 0), configure: plain)
        #expect(node.core.uncommittedBytes == 2 * 64)
        #expect(TestNode.leader(configure: plain).core.uncommittedBytes == 0)
    }

    @Test func `losing leadership leaves the outcome open until something is committed there`() {
        var node = TestNode.leader(configure: plain)
        node.propose("a", "b", "c", token: 1)
        _ = node.takeEvents()
        node.receive(from: 2, term: 2, .heartbeat(commit: 0, round: 0, truncatable: 0))
        #expect(node.proposalEvents == [])
        // Truncation proves nothing: node 3 might hold the entries and win the next election.
        node.receive(from: 2, term: 2, .appendRequest(previous: id(1, 2), entries: [entry(2, 3)], commit: 0))
        #expect(node.proposalEvents == [])
        node.receive(from: 2, term: 2, .appendRequest(previous: id(2, 3), entries: [], commit: 3))
        #expect(node.proposalEvents == ["committed 1 1/2", "lost 2"])
        node.receive(from: 2, term: 2, .appendRequest(previous: id(2, 3), entries: [entry(2, 4)], commit: 4))
        #expect(node.proposalEvents == ["committed 1 1/2", "lost 2", "lost 3"])
    }

    @Test func `an entry that was truncated here can come back and be committed`() {
        var node = TestNode.leader(configure: plain)
        node.propose("a", token: 1)
        node.receive(from: 2, term: 2, .appendRequest(previous: id(1, 1), entries: [entry(2, 2)], commit: 0))
        _ = node.takeEvents()
        // Node 3 holds the entry of term 1 and leads term 3.
        node.receive(
            from: 3, term: 3, .appendRequest(previous: id(1, 1), entries: [entry(1, 2, "a"), entry(3, 3)], commit: 3))
        #expect(node.proposalEvents == ["committed 1 1/2"])
    }

    @Test func `proposals of several leaderships at the same index are told apart`() {
        var node = TestNode.leader(configure: plain)
        node.propose("a", token: 1)
        node.receive(from: 2, term: 2, .appendRequest(previous: id(1, 1), entries: [], commit: 0))
        node.receive(from: 2, term: 2, .appendRequest(previous: id(1, 1), entries: [entry(2, 2)], commit: 0))
        node.becomeLeader()
        #expect(node.core.term == 3)
        node.propose("b", token: 2)
        _ = node.takeEvents()
        node.receive(from: 2, term: 3, .appendAccepted(matched: 4))
        #expect(node.proposalEvents == ["lost 1", "committed 2 3/4"])
    }

    @Test func `entries arrive with a checksum that fits`() {
        var node = TestNode.leader()
        node.propose("payload")
        #expect(node.disk.entries.allSatisfy { $0.isIntact(in: group) })
        #expect(!node.disk.entries[1].isIntact(in: GroupID(2)))
    }
}
