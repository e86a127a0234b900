import ByteCoding
import Raft
import Testing

@Suite("Nothing is promised before it is durable")
struct DurabilityTests {
    @Test func `a vote leaves when it is on disk`() {
        var node = TestNode(syncsAtOnce: false)
        node.receive(from: 2, term: 1, .voteRequest(last: .zero, isTransfer: false))
        #expect(node.said() == [])
        #expect(node.unsynced.map(\.hardState) == [HardState(term: 1, vote: 2)])
        node.sync()
        #expect(node.said() == [Said(2, 1, .voteResponse(granted: true))])
    }

    @Test func `refusals and pre-votes need no disk`() {
        var node = TestNode(restored: .log(terms: [5]), syncsAtOnce: false)
        node.receive(from: 2, term: 6, .preVoteRequest(last: id(5, 1)))
        node.receive(from: 2, term: 6, .voteRequest(last: id(4, 9), isTransfer: false))
        #expect(
            node.said() == [Said(2, 6, .preVoteResponse(granted: true)), Said(2, 6, .voteResponse(granted: false))])
        #expect(node.unsynced.map(\.hardState) == [HardState(term: 6)])
    }

    @Test func `a candidate's requests and its own vote wait for its own disk`() {
        var node = TestNode(syncsAtOnce: false, configure: plain)
        node.timeOut()
        #expect(node.core.role == .candidate)
        #expect(node.said() == [])
        node.sync()
        #expect(node.said().map(\.to) == [2, 3])
        node.receive(from: 2, term: 1, .voteResponse(granted: true))
        #expect(node.core.role == .leader)
    }

    @Test func `a candidate with a slow disk does not wear out terms`() {
        var node = TestNode(syncsAtOnce: false, configure: plain)
        for _ in 0..<5 { node.timeOut() }
        #expect(node.core.term == 1)
        #expect(node.unsynced.count == 1)
        node.sync()
        node.timeOut()
        #expect(node.core.term == 2)
    }

    @Test func `a vote for itself that becomes durable after the election is lost does not count`() {
        var node = TestNode(syncsAtOnce: false, configure: plain)
        node.timeOut()
        node.receive(from: 2, term: 1, .heartbeat(commit: 0, round: 0, truncatable: 0))
        _ = node.said()
        node.sync()
        #expect(node.core.role == .follower)
        #expect(node.said() == [], "the requests for votes are not sent either")
    }

    @Test func `a follower acknowledges entries when they are on disk, in one batch`() {
        var node = TestNode(syncsAtOnce: false)
        node.follow(2, term: 1)
        node.sync()
        node.give(
            .received(.append(from: 2, term: 1, after: .zero, [entry(1, 1, "a")])),
            .received(.append(from: 2, term: 1, after: id(1, 1), [entry(1, 2, "b")])))
        #expect(node.said() == [])
        #expect(node.unsynced.count == 1)
        #expect(node.unsynced.first?.entries == [entry(1, 1, "a"), entry(1, 2, "b")])
        node.sync()
        #expect(node.said() == [Said(2, 1, .appendAccepted(matched: 2))])
    }

    @Test func `an acknowledgement waits for the new term too`() {
        var node = TestNode(restored: .log(terms: [1]), syncsAtOnce: false)
        node.receive(from: 2, term: 2, .appendRequest(previous: id(1, 1), entries: [], commit: 0))
        #expect(node.said() == [])
        #expect(node.unsynced.first?.hardState == HardState(term: 2))
        node.sync()
        #expect(node.said() == [Said(2, 2, .appendAccepted(matched: 1))])
        node.receive(from: 2, term: 2, .appendRequest(previous: id(1, 1), entries: [], commit: 0))
        #expect(node.said() == [Said(2, 2, .appendAccepted(matched: 1))], "nothing is under way any more")
    }

    @Test func `term, vote, entries and truncation of one drain are one batch`() {
        var node = TestNode(restored: .log(terms: [1, 1, 1], term: 1, commit: 1), syncsAtOnce: false)
        node.receive(from: 2, term: 3, .appendRequest(previous: id(1, 1), entries: [entry(2, 2)], commit: 1))
        #expect(
            node.unsynced == [
                PersistBatch(
                    group: group, ticket: PersistTicket(1), hardState: HardState(term: 3), truncateFrom: 2,
                    entries: [entry(2, 2)], commit: 1)
            ])
    }

    @Test func `heartbeats are answered and pass without the disk`() {
        var node = TestNode(syncsAtOnce: false)
        node.receive(from: 2, term: 1, .heartbeat(commit: 0, round: 3, truncatable: 0))
        #expect(node.said() == [Said(2, 1, .heartbeatResponse(round: 3))])
    }

    // MARK: The leader's own disk

    @Test func `a leader sends entries beside its own write`() {
        var node = TestNode.leader(syncsAtOnce: false, configure: plain)
        node.receive(from: 2, term: 1, .appendAccepted(matched: 1))
        _ = node.said()
        node.propose("x")
        #expect(node.unsynced.count == 1)
        #expect(node.takeMessages().first { $0.to == 2 }?.entries == [entry(1, 2, "x")])
    }

    @Test func `a leader counts itself when its own write is durable`() {
        var node = TestNode.leader(
            restored: .log(terms: [], voters: voters(5)), syncsAtOnce: false, configure: plain)
        node.propose("x")
        node.receive(from: 2, term: 1, .appendAccepted(matched: 2))
        node.receive(from: 3, term: 1, .appendAccepted(matched: 2))
        #expect(node.core.commitIndex == 1)
        node.sync()
        #expect(node.core.commitIndex == 2)
    }

    @Test func `a quorum of others commits without the leader's disk, but the leader applies only what it has`() {
        var node = TestNode.leader(syncsAtOnce: false, configure: plain)
        node.propose("x")
        node.receive(from: 2, term: 1, .appendAccepted(matched: 2))
        node.receive(from: 3, term: 1, .appendAccepted(matched: 2))
        #expect(node.core.commitIndex == 2)
        #expect(node.applied.map(\.index) == [1])
        node.sync()
        #expect(node.applied.map(\.index) == [1, 2])
    }

    @Test func `a follower applies only what is on its own disk`() {
        var node = TestNode(syncsAtOnce: false)
        node.receive(from: 2, term: 1, .appendRequest(previous: .zero, entries: entries(terms: [1, 1]), commit: 2))
        #expect(node.core.commitIndex == 2)
        #expect(node.applied == [])
        node.sync()
        #expect(node.applied.count == 2)
    }

    @Test func `writes and applies overlap: several batches are under way at once`() {
        var node = TestNode.leader(syncsAtOnce: false, configure: plain)
        node.appliesAtOnce = false
        for count in 0..<3 { node.propose(Bytes("\(count)")) }
        #expect(node.unsynced.map(\.ticket.rawValue) == [3, 4, 5])
        node.receive(from: 2, term: 1, .appendAccepted(matched: 4))
        node.sync(1)
        #expect(node.core.commitIndex == 2)
        #expect(node.unapplied.map(\.index) == [1, 2])
        node.sync(2)
        #expect(node.core.commitIndex == 4)
        #expect(node.core.appliedIndex == 0)
        node.applyAll()
        #expect(node.core.appliedIndex == 4)
    }

    // MARK: ABA

    @Test func `the late report of a write that was overwritten does not count for what took its place`() {
        // The leader of term 1 writes an entry; before it is durable, term 2 replaces it, and term 3 is ours again.
        var node = TestNode.leader(restored: .log(terms: [], voters: voters(5)), syncsAtOnce: false, configure: plain)
        node.propose("old")
        let old = node.unsynced[0].ticket
        node.receive(from: 2, term: 2, .appendRequest(previous: id(1, 1), entries: [entry(2, 2)], commit: 0))
        node.syncsAtOnce = false
        node.timeOut()
        // Its own vote of term 3 is not durable yet; three others make it leader all the same.
        for other in [2, 3, 4] as [NodeID] { node.receive(from: other, term: 3, .voteResponse(granted: true)) }
        #expect(node.core.role == .leader)
        #expect(node.core.lastIndex == 3)
        node.receive(from: 2, term: 3, .appendAccepted(matched: 3))
        node.receive(from: 3, term: 3, .appendAccepted(matched: 3))
        node.sync(1)
        #expect(node.status.durableIndex == 1, "ticket \(old.rawValue) is about an entry that is gone")
        #expect(node.core.commitIndex == 0)
        node.sync()
        #expect(node.status.durableIndex == 3)
        #expect(node.core.commitIndex == 3)
    }

    @Test func `an own write that becomes durable in a later term does not commit there`() {
        var node = TestNode.leader(syncsAtOnce: false, configure: plain)
        node.propose("x")
        node.receive(from: 2, term: 2, .heartbeat(commit: 0, round: 0, truncatable: 0))
        node.sync()
        #expect(node.core.commitIndex == 0)
        #expect(node.core.role == .follower)
    }

    @Test func `acknowledgements of an earlier term die with it`() {
        var node = TestNode(syncsAtOnce: false)
        node.give(
            .received(.append(from: 2, term: 1, after: .zero, entries(terms: [1, 1]))),
            .received(.append(from: 3, term: 2, after: .zero, entries(terms: [2]))))
        #expect(node.unsynced.map(\.entries) == [entries(terms: [2])], "what was overwritten is never written")
        node.sync()
        #expect(node.said() == [Said(3, 2, .appendAccepted(matched: 1))])
        #expect(node.disk.entries.map(\.term) == [2])
    }

    @Test func `a truncation that was given out is kept apart from one that was not`() {
        var node = TestNode(syncsAtOnce: false)
        node.receive(from: 2, term: 1, .appendRequest(previous: .zero, entries: entries(terms: [1, 1, 1]), commit: 0))
        node.receive(from: 3, term: 2, .appendRequest(previous: id(1, 1), entries: [entry(2, 2)], commit: 0))
        node.receive(from: 2, term: 3, .appendRequest(previous: id(1, 1), entries: [entry(3, 2)], commit: 0))
        #expect(node.unsynced.map(\.truncateFrom) == [nil, 2, 2])
        #expect(node.status.durableIndex == 0)
        node.sync(1)
        #expect(node.status.durableIndex == 1)
        node.sync(1)
        #expect(node.status.durableIndex == 1)
        node.sync(1)
        #expect(node.status.durableIndex == 2)
        #expect(node.disk.entries.map(\.term) == [1, 3])
    }

    @Test(
        arguments: [
            // The second leader goes further back than the first, or less far.
            (id(1, 3), [2], id(1, 1), [3], LogIndex(2), [1, 3]),
            (id(1, 1), [2, 2, 2], id(2, 3), [3], 2, [1, 2, 2, 3]),
        ] as [(EntryID, [UInt64], EntryID, [UInt64], LogIndex, [UInt64])])
    func `two truncations of one drain are one`(
        first: EntryID, firstTerms: [UInt64], second: EntryID, secondTerms: [UInt64], from: LogIndex, log: [UInt64]
    ) {
        var node = TestNode(restored: .log(terms: [1, 1, 1, 1]), syncsAtOnce: false)
        node.give(
            .received(
                .append(from: 2, term: 2, after: first, entries(terms: firstTerms, after: first.index.rawValue))),
            .received(
                .append(from: 3, term: 3, after: second, entries(terms: secondTerms, after: second.index.rawValue))))
        #expect(node.unsynced.map(\.truncateFrom) == [from])
        node.sync()
        #expect(node.disk.entries.map(\.term) == log.map { Term($0) })
    }

    @Test func `tickets may be reported together or twice`() {
        var node = TestNode.leader(syncsAtOnce: false, configure: plain)
        node.propose("a")
        node.propose("b")
        node.give(.persisted(node.unsynced[1].ticket))
        #expect(node.status.durableIndex == 3)
        node.give(.persisted(node.unsynced[0].ticket))
        #expect(node.status.durableIndex == 3)
        #expect(node.violation == nil)
    }

    @Test func `the commit index goes to disk with entries, never alone`() {
        var node = TestNode.leader(syncsAtOnce: false, configure: plain)
        node.propose("a")
        node.sync()
        node.receive(from: 2, term: 1, .appendAccepted(matched: 2))
        #expect(node.core.commitIndex == 2)
        #expect(node.unsynced == [])
        node.propose("b")
        #expect(node.unsynced.map(\.commit) == [2])
    }
}

extension Message {
    static func append(from node: NodeID, term: Term, after previous: EntryID, _ entries: [Entry]) -> Message {
        Message(
            group: GroupID(1), from: node, to: 1, term: term,
            body: .appendRequest(previous: previous, entries: entries, commit: 0))
    }
}
