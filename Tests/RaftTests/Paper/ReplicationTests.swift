import ByteCoding
import Raft
import Testing

@Suite("Log replication (Raft paper, 5.3 and 5.4.2)")
struct ReplicationTests {
    @Test func `a leader appends a proposal and sends it to all`() {
        var node = TestNode.leader(configure: plain)
        node.receive(from: 2, term: 1, .appendAccepted(matched: 1))
        node.receive(from: 3, term: 1, .appendAccepted(matched: 1))
        _ = node.said()
        node.propose("some data")
        let expected = Message.Body.appendRequest(previous: id(1, 1), entries: [entry(1, 2, "some data")], commit: 1)
        #expect(node.said() == [Said(2, 1, expected), Said(3, 1, expected)])
        #expect(node.disk.entries.last == entry(1, 2, "some data"))
    }

    @Test func `a leader commits what a majority holds, and tells it with the next appends`() {
        var node = TestNode.leader(configure: plain)
        node.receive(from: 2, term: 1, .appendAccepted(matched: 1))
        node.receive(from: 3, term: 1, .appendAccepted(matched: 1))
        node.propose("x")
        _ = node.said()
        node.receive(from: 2, term: 1, .appendAccepted(matched: 2))
        #expect(node.core.commitIndex == 2)
        #expect(node.applied.map(\.payload) == ["", "x"])
        let news = Message.Body.appendRequest(previous: id(1, 2), entries: [], commit: 2)
        #expect(node.said() == [Said(2, 1, news), Said(3, 1, news)])
    }

    @Test(
        arguments: [
            (1, [], true), (3, [], false), (3, [2], true), (3, [2, 3], true), (5, [], false), (5, [2], false),
            (5, [2, 3], true), (5, [2, 3, 4], true), (5, [2, 3, 4, 5], true),
        ] as [(UInt64, [NodeID], Bool)])
    func `an entry is committed when a majority has acknowledged it`(size: UInt64, ackers: [NodeID], isCommitted: Bool)
    {
        var node = TestNode(restored: .log(terms: [], voters: voters(size)), configure: plain)
        if size > 1 { node.becomeLeader() }
        for other in voters(size).dropFirst() { node.receive(from: other, term: 1, .appendAccepted(matched: 1)) }
        #expect(node.core.commitIndex == 1)
        node.propose("x")
        for acker in ackers { node.receive(from: acker, term: 1, .appendAccepted(matched: 2)) }
        #expect((node.core.commitIndex == 2) == isCommitted)
    }

    @Test(arguments: [[], [2], [1, 2], [1]] as [[UInt64]])
    func `committing an entry commits what lies before it, of other terms too`(terms: [UInt64]) {
        var node = TestNode.leader(restored: .log(terms: terms, term: 2), configure: plain)
        node.propose("x")
        let last = LogIndex(UInt64(terms.count) + 2)
        node.receive(from: 2, term: 3, .appendAccepted(matched: last))
        #expect(node.core.commitIndex == last)
        #expect(node.applied.map(\.term) == terms.map { Term($0) } + [3, 3])
    }

    @Test(arguments: [(["a"], 1), (["a", "b"], 2), (["b", "a"], 2), (["a", "b"], 1)] as [([Bytes], UInt64)])
    func `a follower applies what it learns to be committed, in order`(payloads: [Bytes], commit: UInt64) {
        var node = TestNode(configure: plain)
        let sent = payloads.enumerated().map { entry(1, UInt64($0.offset) + 1, $0.element) }
        node.receive(from: 2, term: 1, .appendRequest(previous: .zero, entries: sent, commit: LogIndex(commit)))
        #expect(node.core.commitIndex == LogIndex(commit))
        #expect(node.applied == Array(sent.prefix(Int(commit))))
    }

    struct Check: Sendable {
        var previous: EntryID
        var answer: Message.Body
    }

    @Test(arguments: [
        // Committed, or matching.
        Check(previous: .zero, answer: .appendAccepted(matched: 1)),
        Check(previous: id(1, 1), answer: .appendAccepted(matched: 1)),
        Check(previous: id(2, 2), answer: .appendAccepted(matched: 2)),
        // An entry of another term there.
        Check(previous: id(1, 2), answer: .appendRejected(previous: 2, hint: id(1, 1))),
        // No entry there.
        Check(previous: id(3, 3), answer: .appendRejected(previous: 3, hint: id(2, 2))),
    ])
    func `a follower checks the entry before the new ones`(_ check: Check) {
        var node = TestNode(restored: .log(terms: [1, 2], commit: 1), configure: plain)
        node.follow(2, term: 3)
        node.receive(from: 2, term: 3, .appendRequest(previous: check.previous, entries: [], commit: 0))
        #expect(node.said() == [Said(2, 3, check.answer)])
    }

    struct Merge: Sendable {
        var previous: EntryID
        var sent: [UInt64]
        var log: [UInt64]
        var written: [UInt64]
        var truncatedFrom: LogIndex?
    }

    @Test(arguments: [
        Merge(previous: id(2, 2), sent: [3], log: [1, 2, 3], written: [3]),
        Merge(previous: id(1, 1), sent: [3, 4], log: [1, 3, 4], written: [3, 4], truncatedFrom: 2),
        Merge(previous: .zero, sent: [1], log: [1, 2], written: []),
        Merge(previous: .zero, sent: [3], log: [3], written: [3], truncatedFrom: 1),
        Merge(previous: .zero, sent: [1, 2, 3], log: [1, 2, 3], written: [3]),
    ])
    func `a follower keeps what matches, drops what conflicts, appends what is new`(_ merge: Merge) {
        var node = TestNode(restored: .log(terms: [1, 2], term: 4), configure: plain)
        node.follow(2, term: 4)
        node.syncsAtOnce = false
        let sent = entries(terms: merge.sent, after: merge.previous.index.rawValue)
        node.receive(from: 2, term: 4, .appendRequest(previous: merge.previous, entries: sent, commit: 0))
        #expect(node.unsynced.flatMap(\.entries).map(\.term) == merge.written.map { Term($0) })
        #expect(node.unsynced.first?.truncateFrom == merge.truncatedFrom)
        node.sync()
        #expect(node.disk.entries.map(\.term) == merge.log.map { Term($0) })
        #expect(node.said() == [Said(2, 4, .appendAccepted(matched: sent.last!.index))])
    }

    @Test(
        arguments: [
            [1, 1, 1, 4, 4, 5, 5, 6, 6], [1, 1, 1, 4], [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6],
            [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7], [1, 1, 1, 4, 4, 4, 4], [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
        ] as [[UInt64]])
    func `a leader brings any follower's log in line with its own (figure 7)`(terms: [UInt64]) {
        let leaderTerms: [UInt64] = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6]
        var cluster = Cluster(
            [.log(terms: leaderTerms, term: 8), .log(terms: terms, term: 8), .log(terms: [], term: 8)], configure: plain
        )
        // Node 3 can vote where node 2's log is better.
        cluster.elect(1)
        cluster.propose(1, "x")
        cluster.settle()
        for node in cluster.nodes {
            #expect(node.disk.entries == cluster[1].disk.entries)
            #expect(node.core.commitIndex == 12)
        }
        #expect(cluster[2].disk.entries.map(\.term) == (leaderTerms + [9, 9]).map { Term($0) })
    }

    // MARK: 5.4.2

    @Test func `only entries of the leader's own term are committed by counting`() {
        var node = TestNode.leader(restored: .log(terms: [1, 2], term: 2), configure: plain)
        node.receive(from: 2, term: 3, .appendAccepted(matched: 1))
        node.receive(from: 3, term: 3, .appendAccepted(matched: 2))
        node.receive(from: 2, term: 3, .appendAccepted(matched: 2))
        #expect(node.core.commitIndex == 0)
        node.receive(from: 2, term: 3, .appendAccepted(matched: 3))
        #expect(node.core.commitIndex == 3)
    }

    @Test func `old entries commit only with the new leader's first`() {
        var cluster = Cluster(5, configure: plain)
        cluster.elect(1)
        for node in [3, 4, 5] as [NodeID] { cluster.cutLink(1, node) }
        cluster.propose(1, "a")
        cluster.propose(1, "b")
        cluster.settle()
        #expect(cluster[1].core.commitIndex == 1)
        cluster.heal()
        // The network carries no appends: the new leader's own entry reaches nobody, the old ones must wait.
        cluster.loses = \.isAppend
        cluster.elect(2)
        #expect(cluster[2].core.commitIndex == 1)
        cluster.loses = { _ in false }
        cluster.run(for: .milliseconds(100))
        #expect(cluster.nodes.allSatisfy { $0.core.commitIndex == 4 })
        #expect(cluster.state(of: 5) == ["a", "b"])
    }

    @Test func `figure 8: an entry on a majority can still be overwritten before one of the own term commits`() {
        // Node 1's entry of term 2 is on a majority, but not committed; node 5 led term 3 and wins the next election.
        var cluster = Cluster(
            [
                .log(terms: [1, 2], term: 4, voters: voters(5)), .log(terms: [1, 2], term: 4, voters: voters(5)),
                .log(terms: [1, 2], term: 4, voters: voters(5)), .log(terms: [1], term: 4, voters: voters(5)),
                .log(terms: [1, 3], term: 4, voters: voters(5)),
            ], configure: plain)
        cluster.isolate(1)
        cluster.elect(5)
        #expect(cluster.nodes.dropFirst().allSatisfy { $0.disk.entries.map(\.term) == [1, 3, 5] })
    }

    // MARK: What is not sent in order

    @Test func `messages out of order and repeated do no harm`() {
        var node = TestNode(configure: plain)
        node.follow(2, term: 1)
        let first = Message.Body.appendRequest(previous: .zero, entries: [entry(1, 1, "a")], commit: 0)
        let second = Message.Body.appendRequest(previous: id(1, 1), entries: [entry(1, 2, "b")], commit: 1)
        node.receive(from: 2, term: 1, second)
        #expect(node.said() == [Said(2, 1, .appendRejected(previous: 1, hint: .zero))])
        node.receive(from: 2, term: 1, first)
        node.receive(from: 2, term: 1, second)
        node.receive(from: 2, term: 1, first)
        #expect(
            node.said() == [
                Said(2, 1, .appendAccepted(matched: 1)), Said(2, 1, .appendAccepted(matched: 2)),
                Said(2, 1, .appendAccepted(matched: 1)),
            ])
        #expect(node.disk.entries.map(\.payload) == ["a", "b"])
        #expect(node.core.commitIndex == 1)
    }

    @Test func `a late rejection does not set a follower back that has caught up since`() {
        var node = TestNode.leader(configure: plain)
        node.receive(from: 2, term: 1, .appendAccepted(matched: 1))
        node.propose("a")
        node.propose("b")
        // The second append came first, was rejected, and then both were accepted.
        node.receive(from: 2, term: 1, .appendAccepted(matched: 2))
        node.receive(from: 2, term: 1, .appendRejected(previous: 2, hint: id(1, 1)))
        #expect(node.status.peers[0].matchIndex == 2)
        #expect(node.status.peers[0].mode == .replicate)
        node.receive(from: 2, term: 1, .appendAccepted(matched: 3))
        #expect(node.status.peers[0].matchIndex == 3)
        #expect(node.core.commitIndex == 3)
    }

    @Test func `an append that overlaps the committed part only adds its rest`() {
        var node = TestNode(restored: .log(terms: [1, 1, 1], commit: 2), configure: plain)
        node.follow(2, term: 1)
        node.receive(
            from: 2, term: 1, .appendRequest(previous: .zero, entries: entries(terms: [1, 1, 1, 1]), commit: 4))
        #expect(node.said() == [Said(2, 1, .appendAccepted(matched: 4))])
        #expect(node.core.commitIndex == 4)
        node.receive(from: 2, term: 1, .appendRequest(previous: .zero, entries: entries(terms: [1]), commit: 4))
        #expect(node.said() == [Said(2, 1, .appendAccepted(matched: 4))])
    }

    @Test func `a follower never commits beyond what the message has shown to match`() {
        var node = TestNode(restored: .log(terms: [1, 1, 1]), configure: plain)
        node.follow(2, term: 2)
        node.receive(from: 2, term: 2, .appendRequest(previous: id(1, 1), entries: [], commit: 3))
        #expect(node.core.commitIndex == 1)
    }

    @Test func `the commit index reaches followers without waiting for a heartbeat`() {
        var cluster = Cluster(3)
        cluster.elect(1)
        cluster.propose(1, "a")
        cluster.loses = \.isHeartbeat
        cluster.settle()
        #expect(cluster.nodes.map(\.core.commitIndex) == [2, 2, 2])
    }

    @Test func `a follower that lags learns the commit index with the entries it gets`() {
        var cluster = Cluster(3)
        cluster.elect(1)
        cluster.isolate(3)
        for count in 0..<5 { cluster.propose(1, Bytes("\(count)")) }
        cluster.settle()
        #expect(cluster[1].core.commitIndex == 6)
        #expect(cluster[3].core.commitIndex == 1)
        cluster.heal()
        cluster.run(for: .milliseconds(60))
        #expect(cluster[3].core.commitIndex == 6)
        #expect(cluster.state(of: 3) == ["0", "1", "2", "3", "4"])
    }
}

@Suite("Heartbeats")
struct HeartbeatTests {
    @Test func `they carry the commit index as far as the follower is known to hold it`() {
        var node = TestNode.leader(restored: .log(terms: [], voters: voters(3)), configure: plain)
        node.receive(from: 2, term: 1, .appendAccepted(matched: 1))
        node.propose("a", "b")
        node.receive(from: 2, term: 1, .appendAccepted(matched: 3))
        node.receive(from: 3, term: 1, .appendAccepted(matched: 2))
        _ = node.said()
        node.wait(.milliseconds(50))
        #expect(
            node.said().filter { if case .heartbeat = $0.body { true } else { false } } == [
                Said(2, 1, .heartbeat(commit: 3, round: 0, truncatable: 2)),
                Said(3, 1, .heartbeat(commit: 2, round: 0, truncatable: 2)),
            ])
    }

    @Test func `a follower commits by them, never backwards`() {
        var node = TestNode(restored: .log(terms: [1, 1, 1], commit: 2), configure: plain)
        node.receive(from: 2, term: 2, .heartbeat(commit: 3, round: 0, truncatable: 0))
        #expect(node.core.commitIndex == 3)
        node.receive(from: 2, term: 2, .heartbeat(commit: 1, round: 0, truncatable: 0))
        #expect(node.core.commitIndex == 3)
    }

    @Test func `a follower remembers the highest truncatable index`() {
        var node = TestNode(restored: .log(terms: [1, 1, 1]))
        node.receive(from: 2, term: 2, .heartbeat(commit: 3, round: 0, truncatable: 2))
        node.receive(from: 2, term: 2, .heartbeat(commit: 3, round: 0, truncatable: 1))
        #expect(node.core.truncatableIndex == 2)
        node.receive(from: 3, term: 3, .heartbeat(commit: 3, round: 0, truncatable: 0))
        #expect(node.core.truncatableIndex == 2)
    }

    @Test func `the truncatable index waits for the slowest voter and for the leader's own disk`() {
        var node = TestNode.leader(syncsAtOnce: false)
        node.propose("a")
        node.receive(from: 2, term: 1, .appendAccepted(matched: 2))
        node.wait(.milliseconds(50))
        #expect(node.core.truncatableIndex == 0)
        node.receive(from: 3, term: 1, .appendAccepted(matched: 2))
        node.wait(.milliseconds(50))
        #expect(node.core.truncatableIndex == 1, "the no-op was synced, the proposal was not")
        node.sync()
        node.wait(.milliseconds(50))
        #expect(node.core.truncatableIndex == 2)
    }
}
