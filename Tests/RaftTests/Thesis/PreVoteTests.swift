import ByteCoding
import Raft
import Testing

@Suite("PreVote (Raft thesis, 9.6)")
struct PreVoteTests {
    @Test func `a pre-candidate asks for the next term and keeps its own`() {
        var node = TestNode(restored: .log(terms: [1]))
        node.timeOut()
        #expect(node.core.role == .preCandidate)
        #expect(node.core.term == 1)
        #expect(node.disk.hardState == HardState(term: 1))
        #expect(
            node.said() == [Said(2, 2, .preVoteRequest(last: id(1, 1))), Said(3, 2, .preVoteRequest(last: id(1, 1)))])
    }

    @Test func `a quorum of pre-votes starts the election proper`() {
        var node = TestNode()
        node.timeOut()
        _ = node.said()
        node.receive(from: 3, term: 1, .preVoteResponse(granted: true))
        #expect(node.core.role == .candidate)
        #expect(node.disk.hardState == HardState(term: 1, vote: 1))
        #expect(
            node.said() == [
                Said(2, 1, .voteRequest(last: .zero, isTransfer: false)),
                Said(3, 1, .voteRequest(last: .zero, isTransfer: false)),
            ])
    }

    @Test func `grants that come too late or for another term do not count`() {
        var node = TestNode(restored: .log(terms: [], voters: voters(5)))
        node.timeOut()
        node.receive(from: 2, term: 5, .preVoteResponse(granted: true))
        node.receive(from: 3, term: 5, .preVoteResponse(granted: true))
        #expect(node.core.role == .preCandidate)
        #expect(node.core.term == 0)
        node.receive(from: 2, term: 1, .preVoteResponse(granted: true))
        node.receive(from: 3, term: 1, .preVoteResponse(granted: true))
        #expect(node.core.role == .candidate)
        node.receive(from: 4, term: 1, .preVoteResponse(granted: true))
        node.receive(from: 5, term: 1, .preVoteResponse(granted: true))
        #expect(node.core.role == .candidate)
    }

    @Test func `a refusal of a later term deposes the pre-candidate`() {
        var node = TestNode()
        node.timeOut()
        node.receive(from: 2, term: 7, .preVoteResponse(granted: false))
        #expect(node.core.role == .follower)
        #expect(node.core.term == 7)
    }

    @Test func `refusals by nodes of earlier terms with better logs end the pre-election`() {
        var node = TestNode(restored: .log(terms: [1], term: 5))
        node.timeOut()
        node.receive(from: 2, term: 3, .preVoteResponse(granted: false))
        #expect(node.core.role == .preCandidate)
        node.receive(from: 3, term: 3, .preVoteResponse(granted: false))
        #expect(node.core.role == .follower)
    }

    @Test func `a pre-candidate forgets its leader and votes for others`() {
        var node = TestNode()
        node.follow(2, term: 1)
        node.timeOut()
        #expect(node.core.leader == nil)
        node.receive(from: 3, term: 2, .preVoteRequest(last: .zero))
        #expect(node.said().last == Said(3, 2, .preVoteResponse(granted: true)))
        node.receive(from: 3, term: 2, .voteRequest(last: .zero, isTransfer: false))
        #expect(node.said().last == Said(3, 2, .voteResponse(granted: true)))
    }

    @Test func `a pre-vote of the present term is refused when a leader or another vote is known`() {
        var node = TestNode(configure: { $0.checkQuorum = false })
        node.follow(2, term: 1)
        node.receive(from: 3, term: 1, .preVoteRequest(last: id(1, 9)))
        #expect(node.said() == [Said(3, 1, .preVoteResponse(granted: false))])
    }

    @Test func `a pre-vote of an earlier term is answered, so that its asker catches up`() {
        var cluster = Cluster(3, configure: { $0.checkQuorum = false })
        cluster.elect(1)
        cluster.isolate(3)
        cluster.elect(2)
        cluster.heal()
        cluster.dropAll()
        cluster.with(3) { $0.timeOut() }
        cluster.settle()
        #expect(cluster[3].core.term == 2)
        #expect(cluster.leaders.count == 1)
    }

    @Test func `duelling pre-candidates: one is elected, the other stays quiet`() {
        var cluster = Cluster(3, configure: { $0.checkQuorum = false })
        cluster.cutLink(1, 3)
        cluster.campaign(1)
        // Node 3 cannot win against a node that has a longer log.
        cluster.campaign(3)
        #expect(cluster.leaders == [1])
        #expect(cluster[3].core.role == .follower)
        #expect(cluster.nodes.map(\.core.term) == [1, 1, 1])
        cluster.heal()
        cluster.campaign(3)
        #expect(cluster.leaders == [1])
        cluster.run(for: .milliseconds(100))
        #expect(cluster.nodes.map(\.core.term) == [1, 1, 1])
    }

    @Test func `a node that was cut off does not disturb when it comes back`() {
        var cluster = Cluster(3)
        cluster.elect(1)
        cluster.isolate(3)
        cluster.run(for: .seconds(5))
        #expect(cluster[3].core.term == 1)
        cluster.heal()
        cluster.run(for: .seconds(2))
        #expect(cluster.leaders == [1])
        #expect(cluster[1].core.term == 1)
        #expect(cluster[3].core.leader == 1)
    }

    @Test func `a split vote after pre-votes is repeated`() {
        var cluster = Cluster(3, configure: { $0.checkQuorum = false })
        cluster.elect(1)
        cluster.isolate(1)
        cluster.with(2) { $0.timeOut() }
        cluster.with(3) { $0.timeOut() }
        // Both are granted pre-votes by the other, both vote for themselves.
        cluster.deliver(where: \.isPreVoteRequest)
        cluster.settle()
        #expect(cluster.nodes.dropFirst().map(\.core.role) == [.candidate, .candidate])
        #expect(cluster.nodes.dropFirst().map(\.core.term) == [2, 2])
        cluster.run(for: .seconds(3))
        // Node 1, cut off, still believes to lead term 1.
        #expect(cluster.leaders.filter { cluster[$0].core.term > 2 }.count == 1)
    }

    @Test func `a mixed group, with and without PreVote, elects`() {
        var cluster = Cluster(3, configure: { $0.preVote = $0.node != 3 })
        cluster.run(for: .seconds(2))
        #expect(cluster.leaders.count == 1)
        let leader = cluster.leaders[0]
        cluster.isolate(leader)
        cluster.run(for: .seconds(3))
        let next = cluster.leaders.filter { $0 != leader }
        #expect(next.count == 1)
    }

    /// Node 1 leads term 1 with node 2. Node 3 was cut off without PreVote, campaigned on its own, and has come back
    /// with PreVote, in a higher term and with a shorter log.
    private func migrated(checkQuorum: Bool) -> Cluster {
        let trio = Membership(voters: [1, 2, 3])
        var cluster = Cluster(3) { $0.checkQuorum = checkQuorum }
        cluster.isolate(3)
        cluster.elect(1)
        cluster.propose(1, "x")
        cluster.settle()
        var stuck = RestoredState(membership: trio)
        stuck.hardState = HardState(term: 3, vote: 3)
        cluster.replace(3, restored: stuck) { $0.checkQuorum = checkQuorum }
        cluster.heal()
        return cluster
    }

    @Test func `a group on its way to PreVote elects, though one node is ahead in term and behind in log`() {
        var cluster = migrated(checkQuorum: false)
        cluster.isolate(1)
        cluster.campaign(3)
        cluster.campaign(2)
        #expect(cluster.leaders.filter { $0 != 1 }.isEmpty)
        // Node 2 has learned the term from the refusals.
        #expect(cluster[2].core.term == 3)
        cluster.campaign(2)
        #expect(cluster[2].core.role == .leader)
        #expect(cluster.state(of: 3) == ["x"])
    }

    @Test(arguments: [false, true])
    func `a pre-candidate stuck in a higher term is freed by its answer to the leader`(checkQuorum: Bool) {
        var cluster = migrated(checkQuorum: checkQuorum)
        for _ in 0..<2 {
            cluster.fire(3)
            cluster.deliver { $0.isPreVoteRequest }
            cluster.drop { $0.from == 3 || $0.to == 3 }
            #expect(cluster.leaders == [1])
            #expect(cluster[3].core.role == .preCandidate)
        }
        cluster.fire(1)
        cluster.settle()
        #expect(cluster[1].core.role == .follower)
        #expect(cluster[1].core.term == 3)
        cluster.run(for: .seconds(2))
        #expect(cluster.leaders.count == 1)
        #expect(cluster.state(of: 3) == ["x"])
    }

    @Test func `a node that fell behind in term completes an election with one that did not`() {
        var cluster = Cluster(3) { $0.checkQuorum = false }
        cluster.isolate(3)
        cluster.elect(1)
        cluster.campaign(3)
        cluster.campaign(2)
        #expect(cluster[2].core.role == .leader && cluster[2].core.term == 2)
        #expect(cluster[3].core.role == .preCandidate && cluster[3].core.term == 0)
        // Now the leader is cut off instead.
        cluster.heal()
        cluster.dropAll()
        cluster.isolate(2)
        cluster.campaign(3)
        cluster.campaign(1)
        #expect(!cluster.leaders.filter { $0 != 2 }.isEmpty)
    }

    @Test func `a group of one needs no pre-vote`() {
        let node = TestNode(restored: RestoredState(membership: Membership(voters: [1])))
        #expect(node.core.role == .leader)
        #expect(node.core.term == 1)
    }

    /// The candidate's log may be behind one that can't lead any more: that of a leader which removed itself.
    @Test func `a refusal tells the commit index, so that nobody waits for a leader that has gone`() {
        var node = TestNode(restored: .log(terms: [1, 1, 1], commit: 2))
        node.receive(from: 2, term: 2, .preVoteRequest(last: id(1, 2)))
        #expect(
            node.said() == [Said(2, 1, .preVoteResponse(granted: false)), Said(2, 1, .commitNotice(id(1, 2)))])
        node.receive(from: 2, term: 2, .voteRequest(last: id(1, 2), isTransfer: false))
        #expect(
            node.said() == [Said(2, 2, .voteResponse(granted: false)), Said(2, 2, .commitNotice(id(1, 2)))])
    }

    @Test(
        arguments: [
            (id(1, 2), 2), (id(1, 3), 3), (id(2, 2), 0), (id(1, 4), 0), (id(1, 0), 0),
        ] as [(EntryID, LogIndex)])
    func `a commit notice counts in any term, if the log holds that very entry`(notice: EntryID, commit: LogIndex) {
        for term in [0, 1, 9] as [Term] {
            var node = TestNode(restored: .log(terms: [1, 1, 1], term: 5))
            node.receive(from: 2, term: term, .commitNotice(notice))
            #expect(node.core.commitIndex == commit)
            #expect(node.core.appliedIndex == commit)
            #expect(node.core.term == 5, "it is news of the log, not of the term")
            #expect(node.violation == nil)
        }
    }
}
