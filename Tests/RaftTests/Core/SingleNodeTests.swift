import ByteCoding
import Raft
import Testing

@Suite("A group of one")
struct SingleNodeTests {
    private func node(_ restored: RestoredState = .log(terms: [], voters: [1])) -> TestNode {
        TestNode(restored: restored, syncsAtOnce: false)
    }

    @Test func `it elects itself at once, but only when its vote is on disk`() {
        var node = node()
        #expect(node.core.role == .candidate)
        #expect(node.unsynced.map(\.hardState) == [HardState(term: 1, vote: 1)])
        node.sync()
        #expect(node.core.role == .leader)
        #expect(node.core.commitIndex == 0)
        node.sync()
        #expect(node.core.commitIndex == 1)
        #expect(node.applied.map(\.kind) == [.noop])
        #expect(node.said() == [])
    }

    @Test func `it commits nothing before its own disk has it`() {
        var node = node()
        node.sync()
        node.sync()
        node.propose("x")
        #expect(node.proposalEvents == ["accepted 1 1/2"])
        #expect(node.core.commitIndex == 1)
        node.sync()
        #expect(node.proposalEvents == ["accepted 1 1/2", "committed 1 1/2"])
        #expect(node.applied.last?.payload == "x")
    }

    @Test func `reads wait for the first entry of the term, then are answered at once`() {
        var node = node(.log(terms: [1, 1], commit: 2, applied: 0, voters: [1]))
        node.sync()
        node.appliesAtOnce = false
        node.give(.readIndexRequested(read(1)))
        #expect(node.readEvents == [])
        #expect(!node.core.readsAreLocal)
        node.sync()
        #expect(node.readEvents == ["ready 1 at 3"])
        #expect(!node.core.readsAreLocal, "the state machine is not there yet")
        node.applyAll()
        #expect(node.core.readsAreLocal)
    }

    /// Found by the simulator: whoever left had applied, and told its clients of, what was not applied here yet.
    @Test func `a leader that is left alone answers at once when it has applied what the others may have`() {
        var node = TestNode.leader(restored: RestoredState(membership: Membership(voters: [1, 2])))
        node.appliesAtOnce = false
        node.propose(MembershipChange([.remove(2)]))
        node.propose("told to a client of node 2")
        node.receive(from: 2, term: 1, .appendAccepted(matched: 3))
        #expect(node.core.commitIndex == 3)
        node.applyAll(2)
        #expect(node.core.membership == Membership(voters: [1]))
        #expect(!node.core.readsAreLocal)
        node.applyAll(1)
        #expect(node.core.readsAreLocal)
    }

    @Test func `it keeps leading whatever the time`() {
        var node = node()
        node.sync()
        node.sync()
        for _ in 0..<100 { node.wait(.milliseconds(100)) }
        #expect(node.core.role == .leader)
        #expect(node.core.term == 1)
        #expect(node.core.truncatableIndex == 1)
    }

    @Test func `it does not campaign before it has applied what was committed`() {
        var node = TestNode(restored: .log(terms: [1, 1], term: 1, commit: 2, voters: [1]), syncsAtOnce: true)
        #expect(node.core.role == .leader, "its state machine applies at once")
        #expect(node.applied.count == 3)
        node = TestNode(restored: .log(terms: [1, 1], term: 1, commit: 2, voters: [1]), syncsAtOnce: false)
        #expect(node.core.role == .candidate)
    }
}

@Suite("Starting from what the disk holds")
struct RestartTests {
    @Test func `committed entries that were not applied are applied again`() {
        let node = TestNode(restored: .log(terms: [1, 1, 2], commit: 2))
        #expect(node.applied.map(\.index) == [1, 2])
        #expect(node.core.commitIndex == 2)
        #expect(node.status.durableIndex == 3)
        #expect(node.unsynced == [])
    }

    @Test func `no campaign before everything that was committed is applied`() {
        var core = RaftCore(
            configuration: Configuration(group: group, node: 1, seed: 1),
            restored: .log(terms: [1, 1], commit: 2), now: .zero)
        var applies = 0
        for effect in core.drainEffects() { if case .apply = effect { applies += 1 } }
        #expect(applies == 1)
        core.step(.timeAdvanced, at: core.nextDeadline)
        #expect(core.role == .follower)
        core.step(.applied(1), at: core.nextDeadline)
        core.step(.timeAdvanced, at: core.nextDeadline)
        #expect(core.role == .follower)
        core.step(.applied(2), at: core.nextDeadline)
        core.step(.timeAdvanced, at: core.nextDeadline)
        #expect(core.role == .preCandidate)
    }

    @Test func `a group survives the restart of each node, and of all`() {
        var cluster = Cluster(3)
        cluster.elect(1)
        for (count, node) in ([1, 2, 3] as [NodeID]).enumerated() {
            cluster.propose(cluster.leaders[0], Bytes("\(count)"))
            cluster.settle()
            cluster.restart(node)
            cluster.run(for: .seconds(2))
            #expect(cluster.leaders.count == 1)
        }
        for node in [1, 2, 3] as [NodeID] { cluster.restart(node) }
        cluster.run(for: .seconds(2))
        cluster.propose(cluster.leaders[0], "last")
        cluster.run(for: .milliseconds(100))
        for node in [1, 2, 3] as [NodeID] { #expect(cluster.state(of: node) == ["0", "1", "2", "last"]) }
    }

    @Test func `a vote outlives a restart`() {
        var node = TestNode(configure: plain)
        node.receive(from: 2, term: 1, .voteRequest(last: .zero, isTransfer: false))
        var again = TestNode(restored: node.disk.restored(applied: 0), disk: node.disk, configure: plain)
        again.receive(from: 3, term: 1, .voteRequest(last: .zero, isTransfer: false))
        #expect(again.said() == [Said(3, 1, .voteResponse(granted: false))])
        again.receive(from: 2, term: 1, .voteRequest(last: .zero, isTransfer: false))
        #expect(again.said() == [Said(2, 1, .voteResponse(granted: true))])
    }

    @Test func `a log without its beginning elects and replicates`() {
        var cluster = Cluster(3)
        cluster.elect(1)
        for count in 0..<5 { cluster.propose(1, Bytes("\(count)")) }
        cluster.run(for: .milliseconds(200))
        #expect(cluster.nodes.map(\.core.truncatableIndex) == [6, 6, 6])
        for node in [1, 2, 3] as [NodeID] { cluster.with(node) { $0.compact(through: 4) } }
        for node in [1, 2, 3] as [NodeID] { cluster.restart(node) }
        cluster.run(for: .seconds(2))
        cluster.propose(cluster.leaders[0], "last")
        cluster.run(for: .milliseconds(100))
        for node in cluster.nodes {
            #expect(node.status.firstIndex == 5)
            #expect(node.applied.last?.payload == "last")
        }
    }
}

@Suite("A founder that came back with an empty directory")
struct VotingBanTests {
    private func node() -> TestNode { TestNode(restored: .log(terms: [], mayVote: false)) }

    @Test func `it neither votes nor campaigns`() {
        var node = node()
        node.receive(from: 2, term: 1, .voteRequest(last: id(9, 9), isTransfer: false))
        node.receive(from: 2, term: 2, .preVoteRequest(last: id(9, 9)))
        #expect(node.said().map(\.body) == [.voteResponse(granted: false), .preVoteResponse(granted: false)])
        for _ in 0..<5 { node.timeOut() }
        #expect(node.core.role == .follower)
        #expect(node.core.term == 1)
    }

    @Test func `it acknowledges entries all the same`() {
        var node = node()
        node.receive(from: 2, term: 1, .appendRequest(previous: .zero, entries: entries(terms: [1]), commit: 0))
        let answers = node.takeMessages()
        #expect(answers.map(\.body).contains(.appendAccepted(matched: 1)))
        #expect(answers.allSatisfy { !$0.mayVote }, "and says that it has no vote, so that it does not count")
        #expect(!node.core.mayVote)
    }

    /// What the node asks its leader.
    private func question(_ node: inout TestNode) -> ReadToken? {
        for case .readIndexRequest(let token) in node.said().map(\.body) { return token }
        return nil
    }

    @Test func `the ban ends when it holds durably what a leader confirmed, and its vote is on record`() throws {
        var node = node()
        node.receive(from: 2, term: 3, .appendRequest(previous: .zero, entries: entries(terms: [1]), commit: 3))
        let token = try #require(question(&node))
        node.receive(
            from: 2, term: 3, .appendRequest(previous: id(1, 1), entries: entries(terms: [2], after: 1), commit: 3))
        #expect(question(&node) == nil, "asked already")
        node.receive(from: 2, term: 3, .readIndexResponse(token, index: 3))
        #expect(!node.core.mayVote)
        node.syncsAtOnce = false
        node.receive(
            from: 2, term: 3, .appendRequest(previous: id(2, 2), entries: entries(terms: [3], after: 2), commit: 3))
        #expect(node.core.commitIndex == 3)
        #expect(!node.core.mayVote, "not durable yet")
        node.sync()
        #expect(!node.core.mayVote, "its vote of this term is not on record yet")
        #expect(node.unsynced.map(\.hardState) == [HardState(term: 3, vote: 2)])
        node.sync()
        #expect(node.core.mayVote)
        node.timeOut()
        #expect(node.core.role == .preCandidate)
    }

    @Test func `no commit index that was not asked for ends it`() {
        var node = node()
        node.receive(from: 2, term: 1, .heartbeat(commit: 0, round: 0, truncatable: 0))
        node.receive(from: 2, term: 1, .appendRequest(previous: .zero, entries: entries(terms: [1, 1]), commit: 2))
        node.receive(from: 2, term: 1, .readIndexResponse(read(1), index: 2))
        #expect(node.core.commitIndex == 2)
        #expect(!node.core.mayVote)
    }

    @Test func `it asks again with every heartbeat, and the leader of another term anew`() throws {
        var node = node()
        node.receive(from: 2, term: 1, .heartbeat(commit: 0, round: 0, truncatable: 0))
        let first = try #require(question(&node))
        node.receive(from: 2, term: 1, .heartbeat(commit: 0, round: 0, truncatable: 0))
        #expect(question(&node) == first)
        node.receive(from: 3, term: 2, .heartbeat(commit: 0, round: 0, truncatable: 0))
        let second = try #require(question(&node))
        #expect(second != first)
        node.receive(from: 2, term: 1, .readIndexResponse(first, index: 0))
        node.receive(from: 3, term: 2, .appendRequest(previous: .zero, entries: entries(terms: [2]), commit: 1))
        #expect(!node.core.mayVote)
        node.receive(from: 3, term: 2, .readIndexResponse(second, index: 1))
        #expect(node.core.mayVote)
    }

    @Test func `it has lost what its leader believes to be there, and that is no fault of the leader`() {
        var node = node()
        node.receive(from: 2, term: 1, .heartbeat(commit: 7, round: 4, truncatable: 0))
        #expect(node.violation == nil)
        #expect(node.core.commitIndex == 0)
        #expect(node.takeMessages().contains { $0.body == .heartbeatResponse(round: 4) && !$0.mayVote })
    }

    @Test func `in a group it takes part again after a while`() {
        var cluster = Cluster([
            .log(terms: [1, 1], commit: 2), .log(terms: [1, 1], commit: 2), .log(terms: [], mayVote: false),
        ])
        cluster.run(for: .seconds(2))
        #expect(cluster.leaders.count == 1)
        #expect(cluster[3].core.mayVote)
        #expect(cluster[3].core.appliedIndex == 3)
    }
}
