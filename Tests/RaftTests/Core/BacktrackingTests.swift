import ByteCoding
import Raft
import Testing

@Suite("Finding where logs meet")
struct BacktrackingTests {
    struct Rejection: Sendable {
        var leader: [UInt64]
        var follower: [UInt64]
        var hint: EntryID
        var next: EntryID
    }

    @Test(arguments: [
        // The leader skips its terms that are too new for the hint.
        Rejection(
            leader: [1, 2, 2, 4, 4, 4, 4], follower: [1, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3], hint: id(3, 7), next: id(2, 3)),
        Rejection(
            leader: [1, 2, 2, 3, 4, 4, 4, 5], follower: [1, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3], hint: id(3, 8),
            next: id(3, 4)),
        // The follower skips its terms that are too new for the leader's entry.
        Rejection(leader: [1, 1, 1, 1], follower: [1, 2, 2, 4], hint: id(1, 1), next: id(1, 1)),
        Rejection(leader: [1, 1, 1, 1, 1, 1], follower: [1, 2, 2, 4], hint: id(1, 1), next: id(1, 1)),
        Rejection(leader: [1, 1, 1, 1], follower: [1, 2, 2, 4, 4, 4], hint: id(1, 1), next: id(1, 1)),
        // The follower's log is only shorter.
        Rejection(leader: [1, 1, 1, 4, 5], follower: [1, 1, 1, 4], hint: id(4, 4), next: id(4, 4)),
        Rejection(leader: [2, 5, 5, 5, 5, 5, 5, 5, 5], follower: [2, 4, 4, 4, 4, 4], hint: id(4, 6), next: id(2, 1)),
        Rejection(leader: [2, 2, 2, 2, 2], follower: [2, 4, 4, 4, 4, 4, 4, 4], hint: id(2, 1), next: id(2, 1)),
        Rejection(leader: [3, 3], follower: [], hint: .zero, next: .zero),
        Rejection(leader: [3, 3], follower: [4, 4, 4], hint: .zero, next: .zero),
    ])
    func `one rejection steps over whole terms on both sides`(_ rejection: Rejection) throws {
        var leader = TestNode(1, restored: .log(terms: rejection.leader, term: 10), configure: plain)
        var follower = TestNode(2, restored: .log(terms: rejection.follower, term: 10), configure: plain)
        leader.becomeLeader()
        let probe = try #require(leader.takeMessages().first { $0.to == 2 && $0.isAppend })
        #expect(probe.previous == id(rejection.leader.last!, UInt64(rejection.leader.count)))
        follower.give(.received(probe))
        let answer = try #require(follower.takeMessages().first)
        #expect(answer.body == .appendRejected(previous: probe.previous!.index, hint: rejection.hint))
        leader.give(.received(answer))
        #expect(leader.takeMessages().first { $0.to == 2 && $0.isAppend }?.previous == rejection.next)
    }

    @Test func `figure 7: at most one probe for each term, then every log is mended`() {
        let logs: [[UInt64]] = [
            [1, 1, 1, 4, 4, 5, 5, 6, 6, 6], [1, 1, 1, 4, 4, 5, 5, 6, 6], [1, 1, 1, 4],
            [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6], [1, 1, 1, 4, 4, 5, 5, 6, 7, 7, 7, 7], [1, 1, 1, 4, 4, 4, 4],
            [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
        ]
        var cluster = Cluster(logs.map { .log(terms: $0, term: 7, voters: voters(7)) }, configure: plain)
        var rejections: [NodeID: Int] = [:]
        cluster.with(1) { $0.timeOut() }
        while let next = cluster.network.first {
            if case .appendRejected = next.body { rejections[next.from, default: 0] += 1 }
            cluster.deliver(0)
        }
        #expect(cluster.leaders == [1])
        for node in cluster.nodes {
            #expect(node.disk.entries.map(\.term) == (logs[0] + [8]).map { Term($0) })
            #expect(node.core.commitIndex == 11)
        }
        // Nodes 2, 3 and 6 lack or differ at index 10 once; node 7 has two terms of its own, node 5 one.
        #expect(rejections[2] == 1)
        #expect(rejections[3] == 1)
        #expect(rejections[4] == nil)
        #expect(rejections.allSatisfy { $0.value <= 2 }, "\(rejections)")
    }

    @Test func `stale rejections while probing are ignored`() {
        var node = TestNode.leader(restored: .log(terms: [1, 1, 1, 1, 1, 1]), configure: plain)
        #expect(node.status.peers[0].nextIndex == 7)
        node.receive(from: 2, term: 2, .appendRejected(previous: 4, hint: id(1, 2)))
        #expect(node.status.peers[0].nextIndex == 7)
        node.receive(from: 2, term: 2, .appendRejected(previous: 6, hint: id(1, 3)))
        #expect(node.status.peers[0].nextIndex == 4)
        node.receive(from: 2, term: 2, .appendRejected(previous: 6, hint: id(1, 1)))
        #expect(node.status.peers[0].nextIndex == 4)
    }

    @Test func `a hint that makes no sense still lets the search go down`() {
        var node = TestNode.leader(restored: .log(terms: [1, 1, 1]), configure: plain)
        for previous in [3, 2, 1] as [LogIndex] {
            node.receive(from: 2, term: 2, .appendRejected(previous: previous, hint: id(9, 99)))
            #expect(node.status.peers[0].nextIndex == previous)
        }
    }
}
