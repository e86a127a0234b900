import ByteCoding
import Raft
import Testing

/// A follower that may have forgotten its promises is served, and not counted.
@Suite("What a leader makes of a follower without a vote")
struct ForgetfulFollowerTests {
    /// Leads three nodes in term 1; node 2 has acknowledged the first entry.
    private func leader(voters: [NodeID] = [1, 2, 3], _ configure: (inout Configuration) -> Void = { _ in }) -> TestNode
    {
        var node = TestNode.leader(
            restored: RestoredState(membership: Membership(voters: voters)), configure: configure)
        node.receive(from: 2, term: 1, .appendAccepted(matched: 1))
        _ = node.takeMessages()
        return node
    }

    private func hear(_ node: inout TestNode, from other: NodeID, _ body: Message.Body) {
        node.give(
            .received(
                Message(group: group, from: other, to: 1, term: 1, mayVote: false, body: body)))
    }

    @Test func `its acknowledgement commits nothing, and gets it what comes next`() {
        var node = leader()
        node.propose("x")
        hear(&node, from: 3, .appendAccepted(matched: 2))
        #expect(node.core.commitIndex == 1)
        #expect(node.status.peers[1].matchIndex == 2)
        node.receive(from: 3, term: 1, .heartbeatResponse(round: 0))
        node.receive(from: 3, term: 1, .appendAccepted(matched: 2))
        #expect(node.core.commitIndex == 2, "it counts again once it says so")
    }

    @Test func `what it acknowledged before is forgotten: where the logs meet is found out anew`() {
        var node = leader()
        for _ in 0..<5 { node.propose("x") }
        node.receive(from: 3, term: 1, .appendAccepted(matched: 5))
        _ = node.takeMessages()
        hear(&node, from: 3, .appendRejected(previous: 5, hint: id(1, 2)))
        #expect(node.status.peers[1].matchIndex == 0)
        hear(&node, from: 3, .appendRejected(previous: 6, hint: id(1, 2)))
        #expect(node.takeMessages().last?.entries.first?.index == 3)
    }

    @Test func `it confirms no read and no leadership`() {
        var node = leader()
        node.give(.readIndexRequested(read(1)))
        let round = node.takeMessages().compactMap(\.round).last ?? 0
        hear(&node, from: 3, .heartbeatResponse(round: round))
        #expect(node.readEvents == [])
        node.receive(from: 2, term: 1, .heartbeatResponse(round: round))
        #expect(node.readEvents == ["ready 1 at 1"])
        for _ in 0..<20 {
            node.wait(.milliseconds(50))
            hear(&node, from: 3, .heartbeatResponse(round: 0))
        }
        #expect(node.core.role != .leader, "nobody who counts was heard")
    }

    @Test func `it is told again what is committed, since it does not believe heartbeats`() {
        var node = leader()
        node.propose("x")
        node.receive(from: 2, term: 1, .appendAccepted(matched: 2))
        hear(&node, from: 3, .appendAccepted(matched: 2))
        _ = node.takeMessages()
        node.wait(.milliseconds(50))
        hear(&node, from: 3, .heartbeatResponse(round: 0))
        let appends = node.takeMessages().filter { $0.to == 3 && $0.isAppend }
        #expect(appends.map(\.body) == [.appendRequest(previous: id(1, 2), entries: [], commit: 2)])
    }

    @Test func `leadership is not handed to it`() {
        var node = leader()
        hear(&node, from: 3, .appendAccepted(matched: 1))
        node.wait(.milliseconds(200))
        node.receive(from: 2, term: 1, .heartbeatResponse(round: 0))
        hear(&node, from: 3, .appendAccepted(matched: 1))
        node.give(.transferRequested(to: nil))
        #expect(node.core.transferTarget == 2)
    }

    @Test func `of two nodes it counts: nobody else can have been elected without this leader`() {
        var node = TestNode.leader(restored: RestoredState(membership: Membership(voters: [1, 2])))
        hear(&node, from: 2, .appendAccepted(matched: 1))
        #expect(node.core.commitIndex == 1)
    }
}
