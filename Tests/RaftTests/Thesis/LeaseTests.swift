import ByteCoding
import Raft
import Testing

@Suite("Leases (Raft thesis, 6.4.1)")
struct LeaseTests {
    /// A leader of three with leases, whose first entry is committed. Its first round of heartbeats has just left.
    private func leader(_ configure: (inout Configuration) -> Void = { _ in }) -> TestNode {
        var node = TestNode.leader {
            $0.leaseReads = true
            configure(&$0)
        }
        node.receive(from: 2, term: 1, .appendAccepted(matched: 1))
        _ = node.takeMessages()
        _ = node.takeEvents()
        return node
    }

    /// The heartbeat that is due leaves, and node 2 answers it after a while.
    private func beat(_ node: inout TestNode, answeredAfter delay: Duration = .zero) {
        node.timeOut()
        let round = node.takeMessages().compactMap(\.round).last ?? 0
        node.wait(delay)
        _ = node.takeMessages()
        node.receive(from: 2, term: 1, .heartbeatResponse(round: round))
    }

    @Test func `a read within the lease is answered at once, without asking anybody`() {
        var node = leader()
        beat(&node)
        node.wait(.milliseconds(40))
        _ = node.takeMessages()
        node.give(.readIndexRequested(read(1)))
        #expect(node.readEvents == ["ready 1 at 1"])
        #expect(node.takeMessages() == [])
    }

    @Test func `a follower's read is answered at once, too`() {
        var node = leader()
        beat(&node)
        _ = node.takeMessages()
        node.receive(from: 3, term: 1, .readIndexRequest(read(1)))
        #expect(node.said() == [Said(3, 1, .readIndexResponse(read(1), index: 1))])
    }

    @Test func `before the first round is confirmed there is no lease`() {
        var node = leader()
        node.give(.readIndexRequested(read(1)))
        #expect(node.readEvents == [])
        // That round left before the read came, so it takes the next one.
        node.receive(from: 2, term: 1, .heartbeatResponse(round: 1))
        #expect(node.readEvents == [])
        #expect(node.takeMessages().compactMap(\.round) == [2, 2])
        node.receive(from: 2, term: 1, .heartbeatResponse(round: 2))
        #expect(node.readEvents == ["ready 1 at 1"])
    }

    @Test func `without an entry of the own term committed there is no answer, lease or not`() {
        var node = TestNode.leader { $0.leaseReads = true }
        beat(&node)
        node.give(.readIndexRequested(read(1)))
        #expect(node.readEvents == [])
        node.receive(from: 2, term: 1, .appendAccepted(matched: 1))
        #expect(node.readEvents == ["ready 1 at 1"])
    }

    /// With clocks that run up to a tenth too fast or too slow, 300 ms of a follower are at least 245 ms of a leader.
    @Test(
        arguments: [(10, 245, 246), (0, 299, 300), (50, 99, 100)] as [(Int, Int, Int)])
    func `it lasts as long as the fastest follower's patience on the slowest leader's clock`(
        drift: Int, lasts: Int, ends: Int
    ) {
        for (wait, isAnswered) in [(lasts, true), (ends, false)] {
            // No heartbeat comes between.
            var node = leader {
                $0.maxClockDriftPercent = drift
                $0.heartbeatInterval = .milliseconds(299)
                $0.electionTimeout = .milliseconds(300)
            }
            node.receive(from: 2, term: 1, .heartbeatResponse(round: 1))
            node.now = node.now.advanced(by: .milliseconds(wait))
            node.give(.readIndexRequested(read(2)))
            #expect(node.readEvents == (isAnswered ? ["ready 2 at 1"] : []), "after \(wait) ms")
        }
    }

    @Test func `it counts from when the round left, not from when it was answered`() {
        var node = leader {
            $0.heartbeatInterval = .milliseconds(290)
        }
        node.now = node.now.advanced(by: .milliseconds(200))
        node.receive(from: 2, term: 1, .heartbeatResponse(round: 1))
        node.give(.readIndexRequested(read(2)))
        #expect(node.readEvents == ["ready 2 at 1"])
        node.now = node.now.advanced(by: .milliseconds(50))
        node.give(.readIndexRequested(read(3)))
        #expect(node.readEvents == ["ready 2 at 1"])
    }

    @Test func `a round that left and is not answered extends nothing, though answers to the one before still come`() {
        var node = leader { $0.heartbeatInterval = .milliseconds(200) }
        node.receive(from: 2, term: 1, .heartbeatResponse(round: 1))
        node.wait(.milliseconds(200))
        #expect(node.takeMessages().compactMap(\.round) == [2, 2])
        node.receive(from: 2, term: 1, .heartbeatResponse(round: 1))
        node.receive(from: 3, term: 1, .heartbeatResponse(round: 1))
        node.now = node.now.advanced(by: .milliseconds(45))
        node.give(.readIndexRequested(read(1)))
        #expect(node.readEvents == ["ready 1 at 1"])
        node.now = node.now.advanced(by: .milliseconds(1))
        node.give(.readIndexRequested(read(2)))
        #expect(node.readEvents == ["ready 1 at 1"])
        node.receive(from: 3, term: 1, .heartbeatResponse(round: 2))
        node.give(.readIndexRequested(read(3)))
        #expect(node.readEvents.contains("ready 3 at 1"))
    }

    @Test func `a minority's answers give no lease`() {
        var node = TestNode.leader(restored: RestoredState(membership: Membership(voters: voters(5)))) {
            $0.leaseReads = true
        }
        for other in [2, 3] as [NodeID] { node.receive(from: other, term: 1, .appendAccepted(matched: 1)) }
        beat(&node)
        node.give(.readIndexRequested(read(1)))
        #expect(node.readEvents == [])
    }

    @Test func `whoever was asked to campaign may be elected: the lease is over, and does not come back`() {
        var node = leader()
        beat(&node)
        node.give(.transferRequested(to: 2))
        #expect(node.takeMessages().contains { $0.body == .timeoutNow })
        node.give(.readIndexRequested(read(1)))
        #expect(node.readEvents == [])
        // The transfer fails; its request may still be under way.
        for _ in 0..<7 { beat(&node) }
        #expect(node.transferEvents == [.timedOut(target: 2)])
        _ = node.takeEvents()
        node.give(.readIndexRequested(read(2)))
        #expect(node.readEvents == [])
    }

    @Test func `a node that starts again keeps the promise that it may have made`() {
        var node = TestNode(3, restored: .log(terms: [1], vote: 1)) { $0.leaseReads = true }
        node.wait(.milliseconds(299))
        node.receive(from: 2, term: 2, .preVoteRequest(last: id(1, 1)))
        node.receive(from: 2, term: 2, .voteRequest(last: id(1, 1), isTransfer: false))
        #expect(node.said() == [])
        #expect(node.core.term == 1)
        node.wait(.milliseconds(1))
        node.receive(from: 2, term: 2, .voteRequest(last: id(1, 1), isTransfer: false))
        #expect(node.said() == [Said(2, 2, .voteResponse(granted: true))])
    }

    @Test func `without CheckQuorum there are no leases`() {
        var node = leader { $0.checkQuorum = false }
        beat(&node)
        node.give(.readIndexRequested(read(1)))
        #expect(node.readEvents == [])
    }

    @Test func `an old leader that was cut off answers nothing once another can be elected`() {
        var cluster = Cluster(3) { $0.leaseReads = true }
        cluster.run(for: .milliseconds(301))
        cluster.elect(cluster.leaders.first ?? 1)
        let old = cluster.leaders[0]
        cluster.run(for: .milliseconds(100))
        cluster.isolate(old)
        cluster.run(for: .seconds(1))
        let new = cluster.leaders.filter { $0 != old }
        #expect(new.count == 1)
        cluster.propose(new[0], "x")
        cluster.settle()
        cluster.give(old, .readIndexRequested(read(7)))
        #expect(!cluster[old].readEvents.contains { $0.hasPrefix("ready 7") })
    }
}
