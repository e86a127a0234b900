import ByteCoding
import Raft
import Testing

@Suite("Commit indexes that travel with what leaves anyway")
struct CommitNoticeTests {
    /// A leader of three, at whose followers everything up to its no-op is committed and known to be.
    private func leader() -> TestNode {
        var node = TestNode.leader { $0.defersCommitNotices = true }
        for follower: NodeID in [2, 3] { node.receive(from: follower, term: 1, .appendAccepted(matched: 1)) }
        _ = node.takeMessages()
        return node
    }

    /// The commit index of each append without entries.
    private func notices(_ node: inout TestNode, to peer: NodeID) -> [LogIndex] {
        node.takeMessages().filter { $0.to == peer }.compactMap { message in
            guard case .appendRequest(_, let entries, let commit) = message.body, entries.isEmpty else { return nil }
            return commit
        }
    }

    private func commit(_ node: inout TestNode, _ payload: Bytes, through index: LogIndex) {
        node.propose(payload)
        _ = node.takeMessages()
        node.receive(from: 2, term: 1, .appendAccepted(matched: index))
        #expect(node.core.commitIndex == index)
    }

    @Test func `nobody is told at once what nobody waits for`() {
        var node = leader()
        commit(&node, "a", through: 2)
        #expect(node.takeMessages() == [])
    }

    @Test func `the next entries tell it`() {
        var node = leader()
        commit(&node, "a", through: 2)
        node.propose("b")
        let commits = node.takeMessages().compactMap { message -> LogIndex? in
            guard case .appendRequest(_, let entries, let commit) = message.body, entries.count == 1 else { return nil }
            return commit
        }
        #expect(commits == [2, 2])
    }

    @Test func `the next heartbeat tells it, as far as a follower is known to be`() {
        var node = leader()
        commit(&node, "a", through: 2)
        node.wait(.milliseconds(50))
        let told = node.takeMessages().compactMap { message -> [UInt64]? in
            guard case .heartbeat(let commit, _, _) = message.body else { return nil }
            return [message.to.rawValue, commit.rawValue]
        }
        #expect(told == [[2, 2], [3, 1]])
    }

    @Test func `a follower where somebody waits for the outcome is told at once, and only that one`() {
        var node = leader()
        node.propose("a")
        node.give(.commitAwaited(by: 3))
        _ = node.takeMessages()
        node.receive(from: 2, term: 1, .appendAccepted(matched: 2))
        let notices = node.takeMessages().filter(\.isAppend)
        #expect(notices.map(\.to) == [3])
        // What comes after it is not waited for.
        commit(&node, "b", through: 3)
        #expect(node.takeMessages() == [])
    }

    @Test func `a follower that asked for a read index hears of the commit that it must wait for`() {
        var node = leader()
        commit(&node, "a", through: 2)
        node.receive(from: 3, term: 1, .readIndexRequest(ReadToken(incarnation: 1, count: 1)))
        _ = node.takeMessages()
        node.receive(from: 2, term: 1, .heartbeatResponse(round: 1))
        #expect(notices(&node, to: 3) == [2])
    }

    @Test func `one that may not vote is told at once, since it takes nothing from heartbeats`() {
        var node = leader()
        node.give(
            .received(
                Message(group: group, from: 3, to: 1, term: 1, mayVote: false, body: .appendAccepted(matched: 1))))
        node.propose("a")
        _ = node.takeMessages()
        node.receive(from: 2, term: 1, .appendAccepted(matched: 2))
        #expect(notices(&node, to: 3) == [2])
    }

    @Test func `a group that is left alone knows everywhere what is committed after a heartbeat`() {
        var cluster = Cluster(3, configure: { $0.defersCommitNotices = true })
        cluster.elect(1)
        cluster.propose(1, "a")
        cluster.settle()
        #expect(cluster[1].core.appliedIndex == 2)
        #expect(cluster[2].core.appliedIndex == 1)
        cluster.run(for: .milliseconds(60))
        #expect(cluster[2].core.appliedIndex == 2)
        #expect(cluster[3].core.appliedIndex == 2)
    }
}
