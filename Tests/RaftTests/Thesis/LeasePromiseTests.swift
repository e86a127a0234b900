import ByteCoding
import Testing

@testable import Raft

/// A leader that answers reads by its lease counts on this: who answered its heartbeat helps nobody else for an election
/// timeout, whatever it hears or goes through.
@Suite("What a follower promises for a lease (Raft thesis, 6.4.1)")
struct LeasePromiseTests {
    /// Has answered a heartbeat of node 1 in term 5 a moment ago.
    private func bound() -> TestNode {
        var node = TestNode(2) { $0.leaseReads = true }
        node.wait(.milliseconds(350))  // What it may have promised before its start is over.
        node.receive(from: 1, term: 5, .heartbeat(commit: 0, round: 1, truncatable: 0))
        _ = node.said()
        return node
    }

    @Test(
        arguments: [
            .preVoteResponse(granted: false), .voteResponse(granted: false), .heartbeatResponse(round: 0),
            .appendRejected(previous: 1, hint: .zero),
            .readIndexResponse(ReadToken(incarnation: 1, count: 1), index: nil),
        ] as [Message.Body])
    func `news of a later term does not free it`(_ news: Message.Body) {
        var node = bound()
        node.receive(from: 3, term: 6, news)
        node.receive(from: 3, term: 6, .voteRequest(last: id(5, 1), isTransfer: false))
        node.receive(from: 3, term: 7, .preVoteRequest(last: id(5, 1)))
        let grants: [Message.Body] = [.voteResponse(granted: true), .preVoteResponse(granted: true)]
        #expect(!node.said().contains { grants.contains($0.body) })
        node.wait(.milliseconds(300))
        _ = node.said()
        node.receive(from: 3, term: node.core.term, .voteRequest(last: id(5, 1), isTransfer: false))
        #expect(node.core.role != .follower || node.said().contains { $0.body == .voteResponse(granted: true) })
    }

    @Test func `the leader itself may free it, by handing over`() {
        var node = bound()
        node.receive(from: 3, term: 6, .voteRequest(last: id(5, 1), isTransfer: true))
        #expect(node.said() == [Said(3, 6, .voteResponse(granted: true))])
    }

    @Test func `after a restart it votes for nobody in its own term either`() {
        var node = TestNode(3, restored: .log(terms: [1], term: 4)) { $0.leaseReads = true }
        node.wait(.milliseconds(299))
        node.receive(from: 2, term: 4, .voteRequest(last: id(1, 1), isTransfer: false))
        #expect(node.said() == [Said(2, 4, .voteResponse(granted: false))])
        node.wait(.milliseconds(1))
        node.receive(from: 2, term: 4, .voteRequest(last: id(1, 1), isTransfer: false))
        #expect(node.said() == [Said(2, 4, .voteResponse(granted: true))])
    }

    /// One append that is slow, of a leadership that has ended by a transfer; no clock leaps.
    @Test func `a whole group gives no stale read when a follower hears of a later term`() throws {
        var group = Cluster(3) {
            $0.leaseReads = true
            $0.preVote = false
        }
        group.run(for: .milliseconds(310))
        while group.leaders.isEmpty { group.run(for: .milliseconds(20)) }
        let old = group.leaders[0]
        let others = ([1, 2, 3] as [NodeID]).filter { $0 != old }
        let (leader, lone) = (others[0], others[1])
        group.propose(old, "x")
        group.settle(between: [old, leader])
        let slow = try #require(group.network.first { $0.from == old && $0.to == lone && $0.isAppend })
        group.drop { $0 == slow }
        group.settle()
        group.transfer(old, to: leader)
        group.settle()
        for _ in 0..<3 {
            group.pass(.milliseconds(50))
            group.settle()
        }
        #expect(group.leaders == [leader])

        // `lone` hears nobody and campaigns in vain: the others hear their leader.
        group.cutLink(lone, leader)
        group.cutLink(lone, old)
        func beat() {
            group.settle(between: [old, leader])
            group.dropAll()
        }
        while group[lone].core.term <= group[leader].core.term {
            group.pass(.milliseconds(10))
            beat()
        }
        let later = group[lone].core.term
        while group[lone].core.nextDeadline.since(group.now) > .milliseconds(30) {
            group.pass(.milliseconds(10))
            beat()
        }
        group.give(leader, .readIndexRequested(read(1)))
        try #require(group[leader].readEvents.count == 1, "the lease holds")

        // The slow append arrives, and its answer tells `old` of the later term; the leader is cut off from here on.
        group.heal()
        group.isolate(leader)
        group.inject(slow)
        group.settle(between: [old, lone])
        #expect(group[old].core.term == later)
        group.dropAll()
        while group[lone].core.term == later {
            group.pass(.milliseconds(5))
            group.settle(between: [old, lone])
        }
        group.propose(lone, "new", token: 9)
        group.settle(between: [old, lone])
        let isOverwritten = group[old].core.commitIndex > group[leader].core.commitIndex
        _ = group.takeEvents(of: leader)
        group.give(leader, .readIndexRequested(read(2)))
        #expect(!isOverwritten || !group[leader].readEvents.contains { $0.hasPrefix("ready") })
        #expect(!isOverwritten, "the promise kept `old` from voting so early")
    }

    @Test func `who decides alone keeps no record of rounds that nobody answers`() {
        var node = TestNode(1, restored: RestoredState(membership: Membership(voters: [1]))) { $0.leaseReads = true }
        for _ in 0..<100 { node.wait(.milliseconds(50)) }
        #expect(node.core.role == .leader)
        #expect(node.core.reads.starts.count <= 1)
    }
}
