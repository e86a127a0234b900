import ByteCoding
import Raft
import Testing

@Suite("Log compaction (Raft paper, 7)")
struct SnapshotTests {
    /// A leader of three with ten applied entries, of which five are cut off, and node 3 that has none of them.
    private func leader(_ configure: (inout Configuration) -> Void = { _ in }) -> TestNode {
        var node = TestNode.leader {
            plain(&$0)
            configure(&$0)
        }
        node.receive(from: 2, term: 1, .appendAccepted(matched: 1))
        for count in 2...10 as ClosedRange<UInt64> {
            node.propose(Bytes("\(count)"))
            node.receive(from: 2, term: 1, .appendAccepted(matched: LogIndex(count)))
        }
        node.compact(through: 5)
        node.receive(from: 3, term: 1, .appendRejected(previous: 0, hint: .zero))
        node.wait(.milliseconds(50))
        node.receive(from: 3, term: 1, .heartbeatResponse(round: 0))
        _ = node.takeMessages()
        return node
    }

    private func snapshot(
        _ id: EntryID, _ membership: Membership = Membership(voters: [1, 2, 3])
    ) -> TestSnapshot {
        TestSnapshot(
            meta: SnapshotMeta(id: id, membership: membership),
            applied: (1...id.index.rawValue).map { entry(id.term.rawValue, $0, "s") })
    }

    // MARK: The leader

    @Test func `a follower whose entries are cut off is sent a snapshot, asked for once`() {
        var node = leader()
        #expect(node.snapshotRequests == [3])
        #expect(node.status.peers[1].mode == .snapshot)
        node.propose("x")
        node.wait(.milliseconds(50))
        node.receive(from: 3, term: 1, .heartbeatResponse(round: 0))
        #expect(node.snapshotRequests == [3])
    }

    @Test func `meanwhile it gets nothing but heartbeats`() {
        var node = leader()
        node.propose("x")
        node.wait(.milliseconds(50))
        node.receive(from: 3, term: 1, .heartbeatResponse(round: 0))
        #expect(node.takeMessages().filter { $0.to == 3 && !$0.isHeartbeat } == [])
    }

    @Test func `a snapshot that failed is asked for again when the follower is heard`() {
        var node = leader()
        _ = node.takeSnapshotRequests()
        node.give(.snapshotReported(to: 3, .failed))
        #expect(node.status.peers[1].mode != .replicate)
        #expect(node.takeSnapshotRequests() == [])
        node.wait(.milliseconds(50))
        node.receive(from: 3, term: 1, .heartbeatResponse(round: 0))
        #expect(node.takeSnapshotRequests() == [3])
    }

    @Test func `one that was delivered is followed by a probe behind it, after an answered heartbeat`() {
        var node = leader()
        _ = node.takeSnapshotRequests()
        node.give(.snapshotReported(to: 3, .delivered(9)))
        #expect(node.status.peers[1].mode == .probe)
        #expect(node.status.peers[1].nextIndex == 10)
        node.wait(.milliseconds(50))
        node.receive(from: 3, term: 1, .heartbeatResponse(round: 0))
        #expect(node.takeMessages().filter { $0.to == 3 && $0.isAppend }.map(\.previous) == [id(1, 9)])
        #expect(node.takeSnapshotRequests() == [])
        // It was lost on the way to the disk: the follower says so. The beginning of the log is tried, then another one.
        node.receive(from: 3, term: 1, .appendRejected(previous: 9, hint: .zero))
        #expect(node.takeMessages().filter { $0.to == 3 && $0.isAppend }.map(\.previous) == [id(1, 5)])
        node.receive(from: 3, term: 1, .appendRejected(previous: 5, hint: .zero))
        #expect(node.takeSnapshotRequests() == [3])
    }

    @Test func `an acknowledgement alone ends it, of any index from which the log goes on`() {
        var node = leader()
        node.receive(from: 3, term: 1, .appendAccepted(matched: 4))
        #expect(node.status.peers[1].mode == .snapshot, "entry 5 is gone")
        node.receive(from: 3, term: 1, .appendAccepted(matched: 5))
        #expect(node.status.peers[1].mode == .replicate)
        #expect(node.takeMessages().filter { $0.to == 3 }.flatMap(\.entries).map(\.index) == [6, 7, 8, 9, 10])
        // The report comes after all that, and changes nothing.
        node.give(.snapshotReported(to: 3, .failed))
        #expect(node.status.peers[1].mode == .replicate)
    }

    @Test func `a broken link does not end it: the snapshot has a connection of its own`() {
        var node = leader()
        node.give(.unreachable(3))
        #expect(node.status.peers[1].mode == .snapshot)
    }

    @Test func `a report for a node that nobody sends to is ignored`() {
        var node = leader()
        node.give(.snapshotReported(to: 2, .failed), .snapshotReported(to: 9, .delivered(3)))
        #expect(node.status.peers[0].mode == .replicate)
        #expect(node.violation == nil)
    }

    // MARK: The follower

    @Test func `a snapshot replaces log and state, membership included, and is acknowledged when that is durable`() {
        let membership = Membership(voters: [1, 2, 4], learners: [3], outgoing: [1, 2, 5], learnersNext: [5])
        var node = TestNode(3, restored: .log(terms: [1, 1]))
        node.follow(1, term: 2)
        node.installsAtOnce = false
        node.receive(snapshot(id(2, 11), membership), from: 1, term: 2)
        #expect(node.openInstall?.snapshot.meta.index == 11)
        #expect(node.said() == [])
        node.install()
        #expect(node.said() == [Said(1, 2, .appendAccepted(matched: 11))])
        #expect(node.status.firstIndex == 12 && node.core.lastIndex == 11)
        #expect(node.core.commitIndex == 11 && node.core.appliedIndex == 11)
        #expect(node.core.membership == membership)
        // The log goes on behind it.
        node.receive(from: 1, term: 2, .appendRequest(previous: id(2, 11), entries: [entry(2, 12, "x")], commit: 12))
        #expect(node.core.appliedIndex == 12)
    }

    @Test(arguments: [
        Membership(voters: [1, 2], learners: [3]), Membership(voters: [1, 2, 3]), Membership(voters: [1, 2]),
    ])
    func `voter, learner or neither: a node becomes what the snapshot says`(membership: Membership) {
        for before in [[1, 2, 3], [1, 2]] as [[NodeID]] {
            var node = TestNode(3, restored: RestoredState(membership: Membership(voters: before)))
            node.receive(snapshot(id(1, 5), membership), from: 1, term: 1)
            #expect(node.core.membership == membership)
            node.timeOut()
            #expect((node.core.role == .preCandidate) == membership.voters.contains(3))
        }
    }

    @Test func `one that says nothing new is discarded, and acknowledged as what is known`() {
        var node = TestNode(3, restored: .log(terms: [1, 1, 1], commit: 3))
        node.follow(1, term: 2)
        node.receive(snapshot(id(1, 2)), from: 1, term: 2)
        #expect(node.receivedSnapshots.isEmpty && node.installs == 0)
        #expect(node.core.lastIndex == 3)
        #expect(node.said() == [Said(1, 2, .appendAccepted(matched: 3))])
    }

    @Test func `one whose last entry the log holds only brings the commit: what follows it stays`() {
        var node = TestNode(3, restored: .log(terms: [1, 1, 1]))
        node.follow(1, term: 2)
        node.receive(snapshot(id(1, 2)), from: 1, term: 2)
        #expect(node.installs == 0)
        #expect(node.core.commitIndex == 2 && node.core.lastIndex == 3)
    }

    @Test func `one that contradicts the log replaces all of it`() {
        var node = TestNode(3, restored: .log(terms: [1, 1, 1, 1]))
        node.follow(1, term: 2)
        node.receive(snapshot(id(2, 3)), from: 1, term: 2)
        #expect(node.installs == 1)
        #expect(node.core.lastIndex == 3 && node.status.firstIndex == 4)
        #expect(node.disk.truncated == id(2, 3))
    }

    @Test func `while it is installed the log stands still, votes go on, and nobody campaigns`() {
        var node = TestNode(3, restored: .log(terms: [1, 1]), configure: plain)
        node.follow(1, term: 2)
        node.installsAtOnce = false
        node.receive(snapshot(id(2, 11)), from: 1, term: 2)
        node.receive(from: 1, term: 2, .appendRequest(previous: id(1, 2), entries: [entry(2, 3)], commit: 3))
        #expect(node.core.lastIndex == 2)
        node.timeOut()
        #expect(node.core.role == .follower)
        node.receive(from: 2, term: 5, .voteRequest(last: id(4, 20), isTransfer: false))
        #expect(node.said() == [Said(2, 5, .voteResponse(granted: true))])
        node.install()
        #expect(node.core.term == 5 && node.core.commitIndex == 11)
        #expect(node.violation == nil)
    }

    @Test func `a second one is discarded while the first is installed`() {
        var node = TestNode(3)
        node.follow(1, term: 2)
        node.installsAtOnce = false
        node.receive(snapshot(id(2, 11)), from: 1, term: 2)
        node.receive(snapshot(id(2, 15)), from: 1, term: 2)
        #expect(node.receivedSnapshots.isEmpty)
        node.install()
        #expect(node.core.commitIndex == 11)
    }

    @Test func `proposals whose index a snapshot covers end as unknown`() {
        var node = TestNode.leader(configure: plain)
        node.propose("mine", token: 5)
        node.follow(2, term: 2)
        _ = node.takeEvents()
        node.receive(snapshot(id(2, 7)), from: 2, term: 2)
        #expect(node.proposalEvents == ["unknown 5"])
    }

    @Test func `one of a later term brings the term, not a leader; one of an earlier leader is as true as any`() {
        var node = TestNode(3, restored: .log(terms: [], term: 4), configure: plain)
        node.receive(snapshot(id(3, 5)), from: 1, term: 3)
        #expect(node.installs == 1)
        #expect(node.core.term == 4 && node.core.leader == nil)
        node.receive(snapshot(id(5, 9)), from: 2, term: 6)
        // The transfer may have outlived its sender's leadership.
        #expect(node.core.term == 6 && node.core.leader == nil)
        #expect(node.core.commitIndex == 9)
    }

    @Test func `a candidate that gets one gives up its election`() {
        var node = TestNode(3, configure: plain)
        node.timeOut()
        node.receive(snapshot(id(1, 5)), from: 1, term: 1)
        #expect(node.core.role == .follower)
        #expect(node.core.commitIndex == 5)
    }

    // MARK: Groups

    @Test func `a slow node comes back through a snapshot and what follows it, under load`() {
        var cluster = Cluster(3)
        cluster.elect(1)
        cluster.isolate(3)
        for token in 1...20 as ClosedRange<UInt64> {
            cluster.propose(1, Bytes("\(token)"), token: token)
            cluster.settle()
        }
        cluster.with(1) { $0.compact(through: 15) }
        cluster.heal()
        cluster.deliversSnapshots = false
        cluster.run(for: .milliseconds(100))
        cluster.propose(1, "21", token: 21)
        cluster.settle()
        cluster.deliversSnapshots = true
        cluster.run(for: .milliseconds(200))
        #expect(cluster[3].installs == 1)
        #expect(cluster.state(of: 3) == (1...21).map { "\($0)" })
    }

    @Test func `a node starts again from a snapshot`() {
        var cluster = Cluster(3)
        cluster.elect(1)
        cluster.isolate(3)
        cluster.propose(1, "a")
        cluster.settle()
        cluster.with(1) { $0.compact(through: 2) }
        cluster.heal()
        cluster.run(for: .milliseconds(200))
        #expect(cluster[3].installs == 1)
        cluster.restart(3)
        #expect(cluster[3].core.appliedIndex == 2 && cluster[3].core.lastIndex == 2)
        #expect(cluster.state(of: 3) == ["a"])
        cluster.run(for: .seconds(1))
        cluster.propose(cluster.leaders[0], "b")
        cluster.settle()
        #expect(cluster.state(of: 3) == ["a", "b"])
    }

    @Test func `what may be cut off is what no member needs, or what is further back than the log is kept`() {
        var node = TestNode.leader {
            plain(&$0)
            $0.maxRetainedEntries = 4
        }
        for count in 1...3 as ClosedRange<UInt64> { node.propose(Bytes("\(count)")) }
        node.receive(from: 2, term: 1, .appendAccepted(matched: 4))
        node.receive(from: 3, term: 1, .appendAccepted(matched: 2))
        node.wait(.milliseconds(50))
        #expect(node.core.truncatableIndex == 2)
        for count in 4...9 as ClosedRange<UInt64> { node.propose(Bytes("\(count)")) }
        node.receive(from: 2, term: 1, .appendAccepted(matched: 10))
        node.wait(.milliseconds(50))
        #expect(node.core.truncatableIndex == 6)
    }
}
