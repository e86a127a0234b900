import ByteCoding
import Raft
import Testing

@Suite("Linearizable reads by ReadIndex (Raft thesis, 6.4)")
struct ReadTests {
    /// A leader of three whose no-op, and maybe more, is committed.
    private func leader(_ configure: (inout Configuration) -> Void = plain) -> TestNode {
        var node = TestNode.leader(configure: configure)
        node.receive(from: 2, term: 1, .appendAccepted(matched: 1))
        #expect(node.core.commitIndex == 1)
        _ = node.said()
        _ = node.takeEvents()
        return node
    }

    private func rounds(_ node: inout TestNode) -> [UInt64] {
        node.takeMessages().filter { $0.to == 2 }.compactMap(\.round)
    }

    @Test func `a read starts a round of heartbeats and is ready when a quorum has answered`() {
        var node = leader()
        node.give(.readIndexRequested(read(1)))
        #expect(rounds(&node) == [1])
        #expect(node.readEvents == [])
        node.receive(from: 2, term: 1, .heartbeatResponse(round: 1))
        #expect(node.readEvents == ["ready 1 at 1"])
        node.receive(from: 3, term: 1, .heartbeatResponse(round: 1))
        #expect(node.readEvents == ["ready 1 at 1"])
    }

    @Test func `answers to earlier rounds do not confirm`() {
        var node = leader()
        node.give(.readIndexRequested(read(1)))
        node.receive(from: 2, term: 1, .heartbeatResponse(round: 0))
        #expect(node.readEvents == [])
    }

    @Test func `reads between two drains share a round, those during a round share the next`() {
        var node = leader()
        node.give(.readIndexRequested(read(1)), .readIndexRequested(read(2)))
        #expect(rounds(&node) == [1])
        node.give(.readIndexRequested(read(3)))
        node.give(.readIndexRequested(read(4)))
        #expect(rounds(&node) == [], "one round at a time")
        node.receive(from: 2, term: 1, .heartbeatResponse(round: 1))
        #expect(node.readEvents == ["ready 1 at 1", "ready 2 at 1"])
        #expect(rounds(&node) == [2])
        node.receive(from: 3, term: 1, .heartbeatResponse(round: 1))
        #expect(node.readEvents.count == 2)
        node.receive(from: 3, term: 1, .heartbeatResponse(round: 2))
        #expect(node.readEvents == ["ready 1 at 1", "ready 2 at 1", "ready 3 at 1", "ready 4 at 1"])
    }

    @Test func `the index is the commit index when the read came`() {
        var node = leader()
        node.give(.readIndexRequested(read(1)))
        node.propose("x")
        node.receive(from: 2, term: 1, .appendAccepted(matched: 2))
        node.give(.readIndexRequested(read(2)))
        node.receive(from: 2, term: 1, .heartbeatResponse(round: 1))
        node.receive(from: 2, term: 1, .heartbeatResponse(round: 2))
        #expect(node.readEvents == ["ready 1 at 1", "ready 2 at 2"])
    }

    @Test func `a lost round is repeated by the timer`() {
        var node = leader()
        node.give(.readIndexRequested(read(1)))
        _ = node.takeMessages()
        node.wait(.milliseconds(50))
        #expect(rounds(&node) == [1])
        node.give(.readIndexRequested(read(2)))
        node.wait(.milliseconds(50))
        #expect(rounds(&node) == [2], "the next reads do not wait for a round that may never end")
        node.receive(from: 3, term: 1, .heartbeatResponse(round: 2))
        #expect(node.readEvents == ["ready 1 at 1", "ready 2 at 1"])
    }

    @Test func `a new leader queues reads until an entry of its term is committed`() {
        var node = TestNode.leader(restored: .log(terms: [1, 1], commit: 1), configure: plain)
        node.give(.readIndexRequested(read(1)))
        node.receive(from: 2, term: 2, .heartbeatResponse(round: 0))
        #expect(node.readEvents == [])
        node.receive(from: 2, term: 2, .appendAccepted(matched: 3))
        #expect(rounds(&node).last == 1)
        node.receive(from: 2, term: 2, .heartbeatResponse(round: 1))
        #expect(node.readEvents == ["ready 1 at 3"])
    }

    @Test func `reads fail when leadership ends`() {
        var node = leader()
        node.give(.readIndexRequested(read(1)))
        node.receive(from: 3, term: 1, .readIndexRequest(ReadToken(incarnation: 3, count: 9)))
        _ = node.takeMessages()
        node.receive(from: 2, term: 2, .heartbeat(commit: 0, round: 0, truncatable: 0))
        #expect(node.readEvents == ["failed 1"])
        #expect(node.said().first == Said(3, 1, .readIndexResponse(ReadToken(incarnation: 3, count: 9), index: nil)))
    }

    @Test func `answers to rounds of an earlier leadership confirm nothing`() {
        var node = leader()
        node.give(.readIndexRequested(read(1)))
        node.receive(from: 2, term: 2, .heartbeat(commit: 0, round: 0, truncatable: 0))
        node.becomeLeader()
        node.receive(from: 2, term: 3, .appendAccepted(matched: 2))
        _ = node.takeEvents()
        node.give(.readIndexRequested(read(2)))
        node.receive(from: 2, term: 1, .heartbeatResponse(round: 1))
        #expect(node.readEvents == [])
        node.receive(from: 2, term: 3, .heartbeatResponse(round: 1))
        #expect(node.readEvents == ["ready 2 at 2"])
    }

    @Test func `a deposed leader that does not know it yet cannot answer`() {
        var cluster = Cluster(3, configure: plain)
        cluster.elect(1)
        cluster.isolate(1)
        cluster.elect(2)
        cluster.propose(2, "new")
        cluster.settle()
        cluster.give(1, .readIndexRequested(read(1)))
        cluster.run(for: .milliseconds(200))
        #expect(cluster[1].core.role == .leader)
        #expect(cluster[1].readEvents == [])
        cluster.heal()
        cluster.run(for: .milliseconds(200))
        #expect(cluster[1].readEvents == ["failed 1"])
    }

    @Test func `with five nodes two answers are needed`() {
        var node = TestNode.leader(restored: .log(terms: [], voters: voters(5)), configure: plain)
        for other in [2, 3] as [NodeID] { node.receive(from: other, term: 1, .appendAccepted(matched: 1)) }
        node.give(.readIndexRequested(read(1)))
        node.receive(from: 2, term: 1, .heartbeatResponse(round: 1))
        node.receive(from: 2, term: 1, .heartbeatResponse(round: 1))
        #expect(node.readEvents == [])
        node.receive(from: 5, term: 1, .heartbeatResponse(round: 1))
        #expect(node.readEvents == ["ready 1 at 1"])
    }

    // MARK: Followers

    @Test func `a follower asks its leader and passes the answer on`() {
        var cluster = Cluster(3)
        cluster.elect(1)
        cluster.propose(1, "x")
        cluster.settle()
        cluster.give(3, .readIndexRequested(read(5)))
        cluster.settle()
        #expect(cluster[3].readEvents == ["ready 5 at 2"])
    }

    @Test func `the same request twice does no harm`() {
        var node = leader()
        let token = ReadToken(incarnation: 3, count: 1)
        node.give(
            .received(Message(group: group, from: 3, to: 1, term: 1, body: .readIndexRequest(token))),
            .received(Message(group: group, from: 3, to: 1, term: 1, body: .readIndexRequest(token))))
        node.receive(from: 2, term: 1, .heartbeatResponse(round: 1))
        let answer = Said(3, 1, .readIndexResponse(token, index: 1))
        #expect(node.said().suffix(2) == [answer, answer])
        var follower = TestNode(3)
        follower.follow(1, term: 1)
        follower.give(.readIndexRequested(token))
        for _ in 0..<2 { follower.receive(from: 1, term: 1, .readIndexResponse(token, index: 1)) }
        #expect(follower.readEvents == ["ready 1 at 1"])
    }

    @Test func `without a leader a read fails at once`() {
        var node = TestNode()
        node.give(.readIndexRequested(read(1)))
        node.timeOut()
        node.give(.readIndexRequested(read(2)))
        #expect(node.readEvents == ["failed 1", "failed 2"])
    }

    @Test func `an unanswered request fails after an election timeout, though the leader lives`() {
        var node = TestNode()
        node.follow(2, term: 1)
        node.give(.readIndexRequested(read(1)))
        #expect(node.said() == [Said(2, 1, .readIndexRequest(read(1)))])
        node.now = node.now.advanced(by: .milliseconds(250))
        node.follow(2, term: 1)
        #expect(node.core.nextDeadline == MonotonicTime(nanoseconds: 300_000_000))
        node.wait(.milliseconds(50))
        #expect(node.readEvents == ["failed 1"])
        #expect(node.core.role == .follower)
    }

    @Test func `a request that its leader cannot answer fails`() {
        var node = TestNode()
        node.follow(2, term: 1)
        node.give(.readIndexRequested(read(1)))
        node.receive(from: 2, term: 1, .readIndexResponse(read(1), index: nil))
        #expect(node.readEvents == ["failed 1"])
    }

    @Test func `a change of leader or a broken link to it fails what waits`() {
        var node = TestNode()
        node.follow(2, term: 1)
        node.give(.readIndexRequested(read(1)))
        node.give(.unreachable(3))
        #expect(node.readEvents == [])
        node.give(.unreachable(2))
        #expect(node.readEvents == ["failed 1"])
        node.give(.readIndexRequested(read(2)))
        node.follow(3, term: 2)
        #expect(node.readEvents == ["failed 1", "failed 2"])
        node.receive(from: 2, term: 2, .readIndexResponse(read(2), index: 9))
        #expect(node.readEvents == ["failed 1", "failed 2"])
    }

    @Test func `a node that does not lead any more tells who asks`() {
        var node = TestNode()
        node.follow(2, term: 1)
        node.receive(from: 3, term: 1, .readIndexRequest(read(1)))
        #expect(node.said() == [Said(3, 1, .readIndexResponse(read(1), index: nil))])
        node.receive(from: 3, term: 0, .readIndexRequest(read(1)))
        #expect(node.said() == [Said(3, 1, .readIndexResponse(read(1), index: nil))])
    }
}
