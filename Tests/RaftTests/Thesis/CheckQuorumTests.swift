import ByteCoding
import Raft
import Testing

@Suite("CheckQuorum (Raft thesis, 4.2.3 and 6.2)")
struct CheckQuorumTests {
    @Test func `a leader that hears from a quorum stays`() {
        var cluster = Cluster(3)
        cluster.elect(1)
        cluster.cutLink(1, 3)
        cluster.run(for: .seconds(3))
        #expect(cluster[1].core.role == .leader)
        #expect(cluster[1].status.peers.map(\.isActive) == [true, false])
    }

    @Test func `a leader that hears from no quorum steps down within an election timeout and a heartbeat`() {
        var node = TestNode.leader()
        node.wait(.milliseconds(300))
        #expect(node.core.role == .leader)
        node.wait(.milliseconds(50))
        #expect(node.core.role == .follower)
        #expect(node.core.leader == nil)
        #expect(node.core.term == 1)
    }

    @Test func `without CheckQuorum a lonely leader stays`() {
        var node = TestNode.leader(configure: plain)
        for _ in 0..<100 { node.wait(.milliseconds(50)) }
        #expect(node.core.role == .leader)
    }

    @Test func `a follower that hears its leader ignores requests for votes`() {
        var node = TestNode()
        node.follow(2, term: 1)
        node.wait(.milliseconds(299))
        node.receive(from: 3, term: 2, .voteRequest(last: id(9, 9), isTransfer: false))
        node.receive(from: 3, term: 2, .preVoteRequest(last: id(9, 9)))
        #expect(node.said() == [])
        #expect(node.core.term == 1)
        #expect(node.core.leader == 2)
    }

    @Test func `once the leader is silent for an election timeout, votes are given again`() {
        var node = TestNode()
        node.follow(2, term: 1)
        node.now = node.now.advanced(by: .milliseconds(300))
        node.receive(from: 3, term: 2, .voteRequest(last: id(9, 9), isTransfer: false))
        #expect(node.said() == [Said(3, 2, .voteResponse(granted: true))])
    }

    @Test func `a leader ignores requests for votes`() {
        var node = TestNode.leader()
        node.receive(from: 3, term: 5, .voteRequest(last: id(9, 9), isTransfer: false))
        #expect(node.core.role == .leader)
        #expect(node.core.term == 1)
        #expect(node.said() == [])
    }

    @Test func `a candidate stuck in a high term is freed by its answer to the leader's heartbeat`() {
        var cluster = Cluster(3, configure: { $0.preVote = false })
        cluster.elect(1)
        cluster.isolate(3)
        for _ in 0..<3 {
            cluster.fire(3)
            cluster.dropAll()
        }
        let stuck = cluster[3].core.term
        #expect(stuck == 4)
        #expect(cluster[1].core.role == .leader)
        cluster.heal()
        cluster.run(for: .milliseconds(60))
        // The leader was deposed by the answer; now there is an election that node 3 takes part in.
        #expect(cluster[1].core.term >= stuck)
        cluster.run(for: .seconds(3))
        #expect(cluster.leaders.count == 1)
        #expect(Set(cluster.nodes.map(\.core.term)).count == 1)
        #expect(cluster[3].core.leader != nil)
    }

    @Test func `a disruptive follower deposes the leader once, without PreVote`() {
        var node = TestNode.leader(configure: { $0.preVote = false })
        node.wait(.milliseconds(50))
        _ = node.said()
        node.receive(from: 3, term: 2, .heartbeatResponse(round: 0))
        #expect(node.core.role == .follower)
        #expect(node.core.term == 2)
    }

    @Test func `a disruptive follower changes nothing, with PreVote`() {
        var cluster = Cluster(3)
        cluster.elect(1)
        cluster.run(for: .milliseconds(100))
        cluster.with(3) { $0.timeOut() }
        #expect(cluster[3].core.role == .preCandidate)
        cluster.deliver(where: { $0.to == 1 })
        #expect(cluster[1].core.role == .leader)
        #expect(cluster[1].core.term == 1)
    }
}

@Suite("Forgetting a leader whose process has gone")
struct LeaderLostTests {
    @Test func `the follower campaigns within a heartbeat interval and grants votes at once`() {
        var node = TestNode()
        node.follow(2, term: 1)
        node.give(.leaderLost(2))
        #expect(node.core.leader == nil)
        #expect(node.roleChanges.last == RoleChange(role: .follower, term: 1, leader: nil))
        #expect(node.core.nextDeadline <= node.now.advanced(by: .milliseconds(50)))
        node.receive(from: 3, term: 2, .preVoteRequest(last: .zero))
        #expect(node.said() == [Said(3, 2, .preVoteResponse(granted: true))])
        node.timeOut()
        #expect(node.core.role == .preCandidate)
    }

    @Test func `it never votes for a candidate with an older log`() {
        var node = TestNode(restored: .log(terms: [1, 1]))
        node.follow(2, term: 1)
        node.give(.leaderLost(2))
        node.receive(from: 3, term: 2, .voteRequest(last: id(1, 1), isTransfer: false))
        #expect(node.said() == [Said(3, 2, .voteResponse(granted: false))])
    }

    @Test func `a leader that was alive after all is followed again`() {
        var node = TestNode()
        node.follow(2, term: 1)
        node.give(.leaderLost(2))
        node.receive(from: 2, term: 1, .heartbeat(commit: 0, round: 4, truncatable: 0))
        #expect(node.core.leader == 2)
        #expect(node.said() == [Said(2, 1, .heartbeatResponse(round: 4))])
        #expect(node.core.nextDeadline >= node.now.advanced(by: .milliseconds(300)))
    }

    @Test func `no vote goes to another candidate of the forgotten leader's term`() {
        var node = TestNode()
        node.follow(2, term: 1)
        node.give(.leaderLost(2))
        node.receive(from: 3, term: 1, .voteRequest(last: id(9, 9), isTransfer: false))
        #expect(node.said() == [Said(3, 1, .voteResponse(granted: false))])
    }

    @Test(arguments: [1, 3] as [NodeID]) func `news of another node changes nothing`(other: NodeID) {
        var node = TestNode()
        node.follow(2, term: 1)
        let before = node.core.nextDeadline
        node.give(.leaderLost(other))
        #expect(node.core.leader == 2)
        #expect(node.core.nextDeadline == before)
    }

    @Test func `reads that were forwarded to it fail`() {
        var node = TestNode()
        node.follow(2, term: 1)
        node.give(.readIndexRequested(read(1)))
        node.give(.leaderLost(2))
        #expect(node.readEvents == ["failed 1"])
    }

    @Test func `a group replaces a leader that left far sooner than by timeout`() {
        var cluster = Cluster(3)
        cluster.elect(1)
        cluster.run(for: .milliseconds(120))
        cluster.isolate(1)
        cluster.give(2, .leaderLost(1))
        cluster.give(3, .leaderLost(1))
        cluster.run(for: .milliseconds(60))
        #expect(cluster[2].core.role == .leader || cluster[3].core.role == .leader)
    }
}
