import ByteCoding
import Raft
import Testing

@Suite("A full disk")
struct FullDiskTests {
    @Test func `a follower without room is asked, not flooded`() {
        var group = Cluster(3)
        group.elect(1)
        group.run(for: .milliseconds(150))
        group.give(3, .diskFull(true))
        for _ in 0..<60 {
            group.with(1) { $0.propose(Bytes(String(repeating: "x", count: 200_000))) }
            group.settle()
        }
        #expect(group[1].core.commitIndex > 50, "the other two go on")
        var bytes = 0
        for _ in 0..<40 {
            group.pass(.milliseconds(50))
            while let next = group.network.first {
                if next.to == 3 { bytes += next.entries.reduce(0) { $0 + $1.footprintBytes } }
                group.deliver(0)
            }
        }
        #expect(bytes < 1 << 20, "an idle leader sent \(bytes) bytes in vain")
        group.give(3, .diskFull(false))
        group.run(for: .seconds(1))
        #expect(group[3].core.lastIndex == group[1].core.lastIndex)
    }

    @Test func `a leader without room takes no change of the membership, and goes`() {
        var group = Cluster(3)
        group.elect(1)
        group.run(for: .milliseconds(150))
        group.give(1, .diskFull(true), .membershipChangeProposed(ProposalToken(7), MembershipChange([.addLearner(4)])))
        #expect(group[1].proposalEvents == ["refused 7 \(ProposalRefusal.diskFull)"])
        #expect(!group[1].core.acceptsProposals)
        group.run(for: .milliseconds(200))
        #expect(group.leaders.count == 1 && group.leaders != [1])
    }

    @Test func `a follower without room does not campaign, not even when asked to`() {
        var node = TestNode(2)
        node.follow(1, term: 3)
        node.give(.diskFull(true))
        node.receive(from: 1, term: 3, .timeoutNow)
        for _ in 0..<5 { node.wait(.milliseconds(600)) }
        #expect(node.core.role == .follower && node.core.term == 3)
    }

    @Test func `whoever decides alone leads on without room, and takes nothing`() {
        var node = TestNode(1, restored: RestoredState(membership: Membership(voters: [1])))
        node.give(.diskFull(true))
        #expect(node.core.role == .leader && !node.core.acceptsProposals)
        node.propose("x", token: 3)
        #expect(node.proposalEvents == ["refused 3 \(ProposalRefusal.diskFull)"])
        node.give(.diskFull(false))
        #expect(node.core.acceptsProposals)
    }
}
