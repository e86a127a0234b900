import ByteCoding
import Raft
import Testing

@Suite("Leadership transfer (Raft thesis, 3.10)")
struct TransferTests {
    /// A group of three that node 1 leads.
    private func group(_ configure: (inout Configuration) -> Void = { _ in }) -> Cluster {
        var cluster = Cluster(3, configure: configure)
        cluster.elect(1)
        return cluster
    }

    /// Node 1 hands over to node 3, which hears nothing of it.
    private func pending(_ configure: (inout Configuration) -> Void = { _ in }) -> Cluster {
        var cluster = group(configure)
        cluster.isolate(3)
        cluster.transfer(1, to: 3)
        cluster.settle()
        #expect(cluster[1].core.transferTarget == 3)
        return cluster
    }

    private func isRefused(_ outcome: TransferOutcome?) -> Bool {
        if case .refused? = outcome { true } else { false }
    }

    // MARK: It works

    @Test(arguments: [true, false])
    func `it goes to a node that is up to date, and back`(preVote: Bool) {
        var cluster = group { $0.preVote = preVote }
        cluster.transfer(1, to: 2)
        cluster.settle()
        #expect(cluster.leaders == [2])
        #expect(cluster[2].core.term == 2)
        #expect(cluster[1].core.role == .follower && cluster[1].core.leader == 2)
        #expect(cluster[1].transferEvents == [.steppedDown])
        cluster.propose(2, "x")
        cluster.settle()
        cluster.transfer(2, to: 1)
        cluster.settle()
        #expect(cluster.leaders == [1])
        #expect(cluster.state(of: 3) == ["x"])
    }

    @Test func `the target asks at once, without PreVote, and says that it was told to`() {
        var node = TestNode(2)
        node.follow(1, term: 1)
        node.receive(from: 1, term: 1, .timeoutNow)
        #expect(node.core.role == .candidate)
        #expect(
            node.said() == [
                Said(1, 2, .voteRequest(last: .zero, isTransfer: true)),
                Said(3, 2, .voteRequest(last: .zero, isTransfer: true)),
            ])
    }

    @Test(arguments: [false, true])
    func `neither CheckQuorum nor a lease protects a leader that goes of its own will`(leaseReads: Bool) {
        var cluster = group { $0.leaseReads = leaseReads }
        cluster.run(for: .milliseconds(200))
        cluster.transfer(1, to: 2)
        cluster.settle()
        #expect(cluster.leaders == [2])
        #expect(cluster[3].core.leader == 2)
    }

    @Test func `a vote that nobody's transfer asked for is still refused`() {
        var node = TestNode(3)
        node.follow(1, term: 1)
        node.receive(from: 2, term: 2, .voteRequest(last: id(1, 9), isTransfer: false))
        #expect(node.said() == [])
        node.receive(from: 2, term: 2, .voteRequest(last: id(1, 9), isTransfer: true))
        #expect(node.said() == [Said(2, 2, .voteResponse(granted: true))])
    }

    @Test func `a follower that lags is brought up first`() {
        var cluster = group()
        cluster.isolate(3)
        for payload in ["a", "b", "c"] as [Bytes] { cluster.propose(1, payload) }
        cluster.settle()
        cluster.heal()
        cluster.transfer(1, to: 3)
        #expect(cluster.network.allSatisfy { $0.body != .timeoutNow })
        cluster.run(for: .milliseconds(200))
        #expect(cluster.leaders == [3])
        #expect(cluster.state(of: 3) == ["a", "b", "c"])
    }

    @Test func `a follower that needs a snapshot is brought up first`() {
        var cluster = group()
        cluster.isolate(3)
        cluster.propose(1, "a")
        cluster.settle()
        cluster.with(1) { $0.compact(through: 2) }
        cluster.heal()
        cluster.deliversSnapshots = false
        cluster.transfer(1, to: 3)
        cluster.run(for: .milliseconds(100))
        #expect(cluster.leaders == [1])
        #expect(cluster.snapshots.count == 1)
        cluster.deliversSnapshots = true
        cluster.run(for: .milliseconds(100))
        #expect(cluster.leaders == [3])
        #expect(cluster[3].installs == 1)
    }

    @Test func `a lost request is repeated with the heartbeats`() {
        var cluster = group()
        cluster.loses = { $0.body == .timeoutNow }
        cluster.transfer(1, to: 2)
        cluster.run(for: .milliseconds(60))
        #expect(cluster.leaders == [1])
        cluster.loses = { _ in false }
        cluster.run(for: .milliseconds(60))
        #expect(cluster.leaders == [2])
    }

    @Test func `without a target it goes to the voter whose log is longest`() {
        var cluster = group()
        cluster.loses = { $0.to == 2 && $0.isAppend }
        cluster.propose(1, "a")
        cluster.settle()
        cluster.transfer(1, to: nil)
        cluster.settle()
        #expect(cluster.leaders == [3])
    }

    // MARK: What is refused

    @Test func `to itself, to a stranger, to a learner, by a follower`() {
        let membership = Membership(voters: [1, 2], learners: [3])
        var cluster = Cluster((1...3).map { _ in RestoredState(membership: membership) })
        cluster.elect(1)
        for target in [1, 3, 4] as [NodeID] {
            cluster.transfer(1, to: target)
            #expect(isRefused(cluster.takeEvents(of: 1).transferOutcome), "to \(target)")
            #expect(cluster[1].core.transferTarget == nil)
        }
        cluster.transfer(2, to: 2)
        #expect(isRefused(cluster.takeEvents(of: 2).transferOutcome))
        cluster.settle()
        #expect(cluster.leaders == [1])
        #expect(cluster[1].core.term == 1)
    }

    @Test(arguments: [1, 2, 3, nil] as [NodeID?])
    func `a second one while the first is pending, and it does not extend the first`(second: NodeID?) {
        var cluster = pending()
        let deadline = cluster.now.advanced(by: .milliseconds(300))
        cluster.run(for: .milliseconds(100))
        _ = cluster.takeEvents(of: 1)
        cluster.transfer(1, to: second)
        #expect(isRefused(cluster.takeEvents(of: 1).transferOutcome))
        #expect(cluster[1].core.transferTarget == 3)
        cluster.run(for: deadline.since(cluster.now) + .milliseconds(1))
        #expect(cluster[1].core.transferTarget == nil)
        #expect(cluster[1].transferEvents == [.timedOut(target: 3)])
    }

    @Test func `proposals and changes while it is pending`() {
        var cluster = pending()
        _ = cluster.takeEvents(of: 1)
        cluster.propose(1, "x", token: 8)
        cluster.propose(1, MembershipChange([.addLearner(4)]), token: 9)
        #expect(cluster[1].proposalEvents == [8, 9].map { "refused \($0) \(ProposalRefusal.transferring(target: 3))" })
        #expect(cluster[1].core.lastIndex == 1)
    }

    // MARK: How it ends

    @Test func `after an election timeout the leader goes on`() {
        var cluster = pending()
        cluster.run(for: .milliseconds(299))
        #expect(cluster[1].core.transferTarget == 3)
        cluster.run(for: .milliseconds(2))
        #expect(cluster[1].core.transferTarget == nil)
        #expect(cluster[1].transferEvents == [.timedOut(target: 3)])
        #expect(cluster.leaders == [1])
        cluster.propose(1, "x")
        cluster.settle()
        #expect(cluster.state(of: 2) == ["x"])
    }

    @Test func `a candidate of a later term ends it`() {
        var cluster = pending(plain)
        cluster.campaign(2)
        #expect(cluster.leaders == [2])
        #expect(cluster[1].core.leader == 2)
        #expect(cluster[1].transferEvents == [.steppedDown])
    }

    @Test(arguments: [.remove(3), .addLearner(3)] as [MembershipChange.Step])
    func `a change that makes the target no voter ends it`(step: MembershipChange.Step) {
        var cluster = group()
        cluster.loses = { $0.body == .timeoutNow }
        cluster.with(1) { $0.appliesAtOnce = false }
        cluster.propose(1, MembershipChange([step]))
        cluster.settle()
        cluster.transfer(1, to: 3)
        #expect(cluster[1].core.transferTarget == 3)
        cluster.with(1) { $0.applyAll() }
        #expect(cluster[1].core.transferTarget == nil)
        #expect(isRefused(cluster[1].transferEvents.last))
        #expect(cluster.leaders == [1])
        cluster.propose(1, "x")
        cluster.settle()
        #expect(cluster.state(of: 2) == ["x"])
    }

    @Test func `a learner and a node that left do not campaign when told to`() {
        for membership in [Membership(voters: [1], learners: [2]), Membership(voters: [1, 3, 4])] {
            var node = TestNode(2, restored: RestoredState(membership: membership))
            node.receive(from: 1, term: 1, .timeoutNow)
            node.receive(from: 1, term: 2, .voteResponse(granted: true))
            node.receive(from: 3, term: 2, .voteResponse(granted: true))
            #expect(node.core.role == .follower)
            #expect(node.said() == [])
        }
    }

    @Test func `a request of an earlier term starts nothing`() {
        var node = TestNode(2, restored: .log(terms: [], term: 5))
        node.receive(from: 1, term: 4, .timeoutNow)
        #expect(node.core.role == .follower && node.core.term == 5)
        #expect(node.said() == [])
    }
}

extension [Effect] {
    fileprivate var transferOutcome: TransferOutcome? {
        for case .transferEnded(let outcome) in self { return outcome }
        return nil
    }
}
