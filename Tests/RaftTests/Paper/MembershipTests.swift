import ByteCoding
import Raft
import Testing

@Suite("Membership changes (Raft paper, 6; Raft thesis, 4)")
struct MembershipTests {
    private func change(_ steps: MembershipChange.Step...) -> MembershipChange { MembershipChange(steps) }

    /// A group that node 1 leads; the others are there, whether they belong to it yet or not.
    private func group(
        voters: [NodeID], learners: [NodeID] = [], others: [NodeID] = [],
        _ configure: (inout Configuration) -> Void = plain
    ) -> Cluster {
        let membership = Membership(voters: voters, learners: learners)
        var cluster = Cluster([], configure: configure)
        for node in voters + learners + others {
            cluster.add(node, restored: RestoredState(membership: membership), configure: configure)
        }
        cluster.settle()
        if cluster.leaders.isEmpty { cluster.elect(1) }
        return cluster
    }

    // MARK: One change at a time

    @Test func `a change is an entry of the log, and takes effect when it is applied`() {
        var cluster = group(voters: [1, 2, 3])
        cluster.with(1) { $0.appliesAtOnce = false }
        cluster.propose(1, change(.addLearner(4)))
        cluster.settle()
        #expect(cluster[1].core.commitIndex == 2)
        #expect(cluster[1].core.membership.learners == [])
        #expect(cluster[2].core.membership.learners == [4], "each node follows its own state machine")
        cluster.with(1) { $0.applyAll() }
        #expect(cluster[1].core.membership.learners == [4])
        #expect(cluster[1].disk.entries.map(\.kind) == [.noop, .membership])
    }

    @Test func `while one is not applied, another is refused`() {
        var cluster = group(voters: [1, 2, 3])
        cluster.with(1) { $0.appliesAtOnce = false }
        cluster.propose(1, change(.addLearner(4)), token: 1)
        cluster.propose(1, change(.addLearner(5)), token: 2)
        #expect(
            cluster[1].proposalEvents == ["accepted 1 1/2", "refused 2 \(ProposalRefusal.membershipChangePending)"])
        cluster.settle()
        cluster.propose(1, change(.addLearner(5)), token: 3)
        #expect(cluster[1].proposalEvents.last == "refused 3 \(ProposalRefusal.membershipChangePending)")
        cluster.with(1) { $0.applyAll() }
        cluster.propose(1, change(.addLearner(5)), token: 4)
        #expect(cluster[1].proposalEvents.last == "accepted 4 1/3")
    }

    @Test func `a new leader takes none before it has applied what it found in its log`() {
        var node = TestNode(restored: .log(terms: [1, 1], commit: 1), configure: plain)
        node.becomeLeader()
        node.propose(change(.addLearner(4)), token: 1)
        #expect(node.proposalEvents.last == "refused 1 \(ProposalRefusal.membershipChangePending)")
        node.receive(from: 2, term: 2, .appendAccepted(matched: 3))
        #expect(node.core.appliedIndex == 3)
        node.propose(change(.addLearner(4)), token: 2)
        #expect(node.proposalEvents.last == "accepted 2 2/4")
    }

    @Test func `followers refuse, and a change that does not fit is refused for good`() {
        var cluster = group(voters: [1, 2, 3])
        cluster.propose(2, change(.addLearner(4)), token: 1)
        #expect(cluster[2].proposalEvents == ["refused 1 \(ProposalRefusal.notLeader(leader: 1))"])
        cluster.propose(1, change(.remove(1), .remove(2), .remove(3)), token: 2)
        cluster.propose(1, .leaveJoint, token: 3)
        #expect(cluster[1].core.lastIndex == 1)
        #expect(cluster[1].proposalEvents.count { $0.hasPrefix("refused") } == 2)
    }

    @Test func `to add a member twice is allowed, and changes nothing`() {
        var cluster = group(voters: [1])
        for token in 1...3 as ClosedRange<UInt64> { cluster.propose(1, change(.addVoter(1)), token: token) }
        cluster.propose(1, change(.addLearner(2)), token: 4)
        #expect(cluster[1].core.commitIndex == 5)
        #expect(cluster[1].core.membership == Membership(voters: [1], learners: [2]))
        let announced = cluster[1].events.count { if case .membershipChanged = $0 { true } else { false } }
        #expect(announced == 1)
    }

    // MARK: Voters

    @Test func `a new voter is heard before it has caught up, so that CheckQuorum does not depose the leader`() {
        var cluster = group(voters: [1]) { $0.preVote = false }
        cluster.propose(1, change(.addVoter(2)))
        #expect(cluster[1].core.membership.voters == [1, 2])
        // It is not even there yet. The leader has an election timeout to reach it.
        cluster.run(for: .milliseconds(290))
        #expect(cluster.leaders == [1])
        cluster.add(2, restored: RestoredState(membership: Membership(voters: [1])))
        cluster.run(for: .seconds(1))
        #expect(cluster.leaders == [1])
        #expect(cluster[2].core.membership.voters == [1, 2])
    }

    @Test func `a smaller quorum commits what a larger one could not`() {
        var cluster = group(voters: [1, 2])
        cluster.propose(1, change(.remove(2)), token: 1)
        cluster.propose(1, "x", token: 2)
        cluster.deliver { !$0.entries.isEmpty && $0.entries[0].kind == .membership }
        cluster.dropAllButAnswers()
        cluster.settle()
        // Entry x is on node 1 alone: with the removal applied, that is all it takes.
        #expect(cluster[1].core.membership.voters == [1])
        #expect(cluster[1].core.commitIndex == 4)
        #expect(cluster[1].disk.entries.map(\.kind) == [.noop, .membership, .normal, .noop])
        #expect(cluster.state(of: 1) == ["x"])
    }

    @Test func `a removed node is sent nothing more, and only waits`() {
        var cluster = group(voters: [1, 2, 3])
        cluster.propose(1, change(.remove(3)))
        cluster.settle()
        #expect(cluster[3].core.membership.voters == [1, 2])
        #expect(cluster[1].status.peers.map(\.node) == [2])
        cluster.run(for: .seconds(2))
        #expect(cluster[3].core.role == .follower)
        #expect(cluster.leaders == [1])
        #expect(cluster[1].core.term == 1)
    }

    @Test func `a removed node that does not know it disturbs nobody, with PreVote and CheckQuorum`() {
        var cluster = group(voters: [1, 2, 3]) { _ in }
        cluster.isolate(3)
        cluster.propose(1, change(.remove(3)))
        cluster.settle()
        cluster.heal()
        cluster.run(for: .seconds(3))
        #expect(cluster[3].core.membership.voters == [1, 2, 3])
        #expect(cluster.leaders == [1])
        #expect(cluster[1].core.term == 1)
    }

    @Test func `nobody who is no voter campaigns`() {
        for membership in [Membership(voters: [2, 3]), Membership(voters: [2], learners: [1]), Membership(voters: [])] {
            var node = TestNode(1, restored: RestoredState(membership: membership))
            for _ in 0..<5 { node.wait(.milliseconds(600)) }
            #expect(node.core.role == .follower && node.core.term == 0)
            #expect(node.takeMessages() == [])
        }
    }

    @Test func `a node that knows of a committed change which it has not applied does not campaign`() {
        var cluster = group(voters: [1, 2, 3])
        cluster.with(2) { $0.appliesAtOnce = false }
        cluster.propose(1, change(.addVoter(4)))
        cluster.settle()
        #expect(cluster[2].core.commitIndex == 3)
        cluster.fire(2)
        cluster.transfer(1, to: 2)
        cluster.settle()
        #expect(cluster[2].core.role == .follower && cluster[2].core.term == 1)
        #expect(cluster.leaders == [1])
        cluster.with(2) { $0.applyAll() }
        cluster.fire(2)
        #expect(cluster[2].core.role == .candidate)
    }

    @Test func `a pre-candidate that learns of a committed change does not go on`() {
        let payload = change(.addLearner(4)).encode()
        let log = [entry(1, 1), Entry(group: RaftTests.group, id: id(1, 2), kind: .membership, payload: payload)]
        let restored = RestoredState(
            hardState: HardState(term: 1), membership: Membership(voters: [1, 2, 3]),
            termRuns: TestDisk.termRuns(of: log), lastIndex: 2, commit: 1, unapplied: log)
        for isTold in [false, true] {
            var node = TestNode(1, restored: restored)
            node.appliesAtOnce = false
            node.timeOut()
            #expect(node.core.role == .preCandidate)
            if isTold { node.receive(from: 3, term: 1, .commitNotice(id(1, 2))) }
            node.receive(from: 2, term: 2, .preVoteResponse(granted: true))
            #expect(node.core.role == (isTold ? .follower : .candidate))
            #expect(node.core.term == (isTold ? 1 : 2))
        }
    }

    // MARK: When it may be relied on

    /// Two nodes, of which node 1 leads and removes itself; it knows that this is committed, and node 2 does not.
    private func afterRemovalOfLeader() -> Cluster {
        var cluster = group(voters: [1, 2]) { _ in }
        cluster.propose(1, change(.remove(1)), token: 1)
        cluster.deliver { $0.to == 2 }
        cluster.deliver { $0.to == 1 }
        return cluster
    }

    @Test func `a leader that leaves goes when those who stay have it on disk, and says so before`() {
        var cluster = afterRemovalOfLeader()
        #expect(cluster[1].core.membership.voters == [2])
        #expect(cluster[1].core.role == .leader && !cluster[1].core.isMembershipSettled)
        #expect(cluster[1].settled == [])
        cluster.with(2) { $0.syncsAtOnce = false }
        cluster.deliver { $0.to == 2 }
        #expect(cluster[1].core.role == .leader)
        cluster.with(2) { node in
            node.sync()
            node.syncsAtOnce = true
        }
        cluster.settle()
        #expect(cluster[1].settled == [2])
        #expect(cluster[1].core.role == .follower)
        // Its machine may be gone now, and the other one lose power.
        cluster.crash(1)
        cluster.restart(2, applied: 0)
        cluster.run(for: .seconds(1))
        #expect(cluster.leaders == [2])
    }

    @Test func `nobody is told that a leader may go whose last words are lost`() {
        var cluster = afterRemovalOfLeader()
        cluster.dropAll()
        cluster.loses = { $0.from == 1 }
        cluster.run(for: .seconds(2))
        #expect(cluster[1].settled == [] && cluster.leaders == [])
        // It has lost its office, but it is there, and its answer is all that the other one lacks.
        cluster.loses = { _ in false }
        cluster.run(for: .seconds(2))
        #expect(cluster.leaders == [2])
        #expect(cluster[2].core.membership.voters == [2] && cluster[2].core.isMembershipSettled)
    }

    @Test func `a leader that leaves takes no proposals, and reads need the others`() {
        var cluster = afterRemovalOfLeader()
        #expect(!cluster[1].core.acceptsProposals)
        cluster.propose(1, "x", token: 2)
        cluster.propose(1, change(.addLearner(3)), token: 3)
        let refusal = ProposalRefusal.notLeader(leader: nil)
        #expect(cluster[1].proposalEvents.suffix(2) == ["refused 2 \(refusal)", "refused 3 \(refusal)"])
        cluster.give(1, .readIndexRequested(read(1)))
        #expect(cluster[1].readEvents == [])
    }

    /// Found by the simulator: with the leader gone, node 2 counted without node 3, and nobody was ever elected.
    @Test func `a voter that was added is relied on when those who stay have it on disk`() {
        var cluster = group(voters: [1, 2], learners: [3])
        cluster.propose(1, change(.addVoter(3)), token: 1)
        cluster.deliver { $0.to == 2 }
        cluster.deliver { $0.to == 1 }
        #expect(cluster[1].core.membership.voters == [1, 2, 3])
        #expect(cluster[1].settled == [] && !cluster[1].core.isMembershipSettled)
        cluster.settle()
        #expect(cluster[1].settled == [2])
        cluster.crash(1)
        cluster.restart(2, applied: 0)
        cluster.run(for: .seconds(2))
        #expect(cluster.leaders == [2] || cluster.leaders == [3])
    }

    @Test func `a change of learners is settled as soon as it is applied`() {
        var cluster = group(voters: [1, 2, 3], learners: [4])
        cluster.propose(1, change(.addLearner(5)), token: 1)
        cluster.settle()
        cluster.propose(1, change(.remove(4)), token: 2)
        cluster.settle()
        #expect(cluster[1].settled == [2, 3])
        #expect(cluster[1].core.lastIndex == 3, "no empty entry was needed")
    }

    @Test func `a new leader's first entry settles what it knew`() {
        var cluster = group(voters: [1, 2, 3, 4])
        cluster.with(1) { $0.appliesAtOnce = false }
        cluster.propose(1, change(.remove(4)), token: 1)
        cluster.settle()
        cluster.elect(2)
        #expect(cluster[2].core.membership.voters == [1, 2, 3])
        #expect(cluster[2].core.isMembershipSettled)
        #expect(cluster[2].settled == [], "it led before nobody, so nobody asked it")
    }

    // MARK: Joint configurations

    @Test func `in a joint configuration elections and commits take both majorities`() {
        let joint = Membership(voters: [1, 2, 3], outgoing: [1, 4, 5])
        var node = TestNode(1, restored: RestoredState(membership: joint), configure: plain)
        node.timeOut()
        #expect(node.takeMessages().filter(\.isVoteRequest).map(\.to) == [2, 3, 4, 5])
        for voter in [2, 3] as [NodeID] { node.receive(from: voter, term: 1, .voteResponse(granted: true)) }
        #expect(node.core.role == .candidate)
        node.receive(from: 4, term: 1, .voteResponse(granted: true))
        #expect(node.core.role == .leader)
        for voter in [4, 5] as [NodeID] { node.receive(from: voter, term: 1, .appendAccepted(matched: 1)) }
        #expect(node.core.commitIndex == 0)
        node.receive(from: 3, term: 1, .appendAccepted(matched: 1))
        #expect(node.core.commitIndex == 1)
    }

    @Test func `a leader leaves by itself once, however much is proposed meanwhile`() {
        var cluster = group(voters: [1], others: [2, 3])
        cluster.propose(1, MembershipChange([.addVoter(2), .addVoter(3)]), token: 1)
        for token in 2...5 as ClosedRange<UInt64> { cluster.propose(1, "x", token: token) }
        cluster.settle()
        #expect(cluster[1].core.membership == Membership(voters: [1, 2, 3]))
        #expect(cluster[3].core.membership == Membership(voters: [1, 2, 3]))
        #expect(cluster[1].disk.entries.count { $0.kind == .membership } == 2)
    }

    // MARK: Learners

    @Test func `a learner gets the log, and counts neither for commits nor for elections`() {
        var cluster = group(voters: [1, 2], learners: [3])
        cluster.isolate(2)
        cluster.propose(1, "x")
        cluster.settle()
        #expect(cluster[3].core.lastIndex == 2)
        #expect(cluster[1].core.commitIndex == 1)
        cluster.heal()
        cluster.run(for: .milliseconds(100))
        #expect(cluster.state(of: 3) == ["x"])
        #expect(cluster[1].status.peers.map(\.isLearner) == [false, true])
    }

    @Test func `a learner's answer confirms no leadership`() {
        var node = TestNode.leader(restored: RestoredState(membership: Membership(voters: [1, 2], learners: [3])))
        node.receive(from: 2, term: 1, .appendAccepted(matched: 1))
        node.give(.readIndexRequested(read(1)))
        node.receive(from: 3, term: 1, .heartbeatResponse(round: 1))
        #expect(node.readEvents == [])
        node.receive(from: 2, term: 1, .heartbeatResponse(round: 1))
        #expect(node.readEvents == ["ready 1 at 1"])
    }

    @Test func `a learner votes when it is asked: it may be a voter without knowing it`() {
        var node = TestNode(3, restored: RestoredState(membership: Membership(voters: [1, 2], learners: [3])))
        node.receive(from: 2, term: 1, .voteRequest(last: .zero, isTransfer: false))
        #expect(node.said() == [Said(2, 1, .voteResponse(granted: true))])
    }

    @Test func `a learner that keeps up is announced once, and becomes a voter that may lead`() {
        var cluster = group(voters: [1, 2], learners: [3])
        for token in 1...5 as ClosedRange<UInt64> {
            cluster.propose(1, "x", token: token)
            cluster.run(for: .milliseconds(50))
        }
        #expect(cluster[1].caughtUpLearners == [3])
        cluster.propose(1, change(.addVoter(3)), token: 6)
        cluster.settle()
        #expect(cluster[3].core.membership == Membership(voters: [1, 2, 3]))
        cluster.elect(3)
        #expect(cluster.leaders == [3])
    }

    @Test func `a learner is not announced before it has caught up`() {
        var cluster = group(voters: [1, 2], others: [3])
        cluster.isolate(3)
        cluster.propose(1, change(.addLearner(3)), token: 9)
        for token in 1...5 as ClosedRange<UInt64> { cluster.propose(1, "x", token: token) }
        cluster.run(for: .milliseconds(400))
        #expect(cluster[1].caughtUpLearners == [])
        cluster.heal()
        cluster.run(for: .milliseconds(200))
        #expect(cluster[1].caughtUpLearners == [3])
    }

    @Test func `a voter becomes a learner, and a learner leaves`() {
        var cluster = group(voters: [1, 2, 3])
        cluster.propose(1, change(.addLearner(3)), token: 1)
        cluster.settle()
        #expect(cluster[1].core.membership == Membership(voters: [1, 2], learners: [3]))
        cluster.propose(1, change(.remove(3)), token: 2)
        cluster.settle()
        #expect(cluster[1].core.membership == Membership(voters: [1, 2]))
        #expect(cluster[1].status.peers.map(\.node) == [2])
    }

    // MARK: Restarts

    @Test func `a membership outlives a restart, from the log and from the applied state`() {
        var cluster = group(voters: [1], others: [2])
        cluster.propose(1, change(.addVoter(2)))
        cluster.settle()
        for applied in [0, 1, 2] as [LogIndex] {
            cluster.restart(1, applied: applied)
            cluster.settle()
            #expect(cluster[1].core.membership.voters == [1, 2], "applied \(applied)")
        }
    }
}

extension Cluster {
    /// Loses everything that is under way but what followers answer.
    fileprivate mutating func dropAllButAnswers() { drop { !$0.isAppendAnswer } }
}
