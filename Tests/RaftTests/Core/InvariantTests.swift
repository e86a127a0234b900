import ByteCoding
import Raft
import Testing

@Suite("Broken invariants stop the core")
struct InvariantTests {
    @Test func `a leader that contradicts a committed entry`() {
        var node = TestNode(restored: .log(terms: [1, 1], commit: 2))
        node.receive(
            from: 2, term: 3, .appendRequest(previous: id(1, 1), entries: [entry(3, 2), entry(3, 3)], commit: 0))
        #expect(node.violation?.rule == "committed-entry-truncated")
        #expect(node.disk.entries.map(\.term) == [1, 1])
    }

    @Test func `a second leader of one term`() {
        var node = TestNode()
        node.follow(2, term: 1)
        node.receive(from: 3, term: 1, .heartbeat(commit: 0, round: 0, truncatable: 0))
        #expect(node.violation?.rule == "two-leaders")
    }

    @Test func `a leader that hears another leader of its term`() {
        var node = TestNode.leader()
        node.receive(from: 3, term: 1, .appendRequest(previous: .zero, entries: [], commit: 0))
        #expect(node.violation?.rule == "two-leaders")
    }

    @Test func `a leader that counts on entries this node does not have any more`() {
        var node = TestNode(restored: .log(terms: [1]))
        node.receive(from: 2, term: 1, .heartbeat(commit: 5, round: 0, truncatable: 0))
        #expect(node.violation?.rule == "commit-beyond-log")
    }

    @Test func `a ticket that was never given out`() {
        var node = TestNode()
        node.give(.persisted(PersistTicket(99)))
        #expect(node.violation?.rule == "ticket-unknown")
    }

    @Test func `entries applied that were not given out, or cut before they were applied`() {
        var node = TestNode(restored: .log(terms: [1, 1], commit: 1))
        node.give(.applied(2))
        #expect(node.violation?.rule == "applied-too-far")
        node = TestNode(restored: .log(terms: [1, 1], commit: 1))
        node.give(.compacted(id(1, 2)))
        #expect(node.violation?.rule == "cut-too-far")
    }

    @Test func `after a violation nothing happens any more`() {
        var node = TestNode()
        node.give(.received(.append(from: 2, term: 1, after: .zero, [entry(1, 1)])), .persisted(PersistTicket(99)))
        #expect(node.takeEvents().count == 1, "only the violation, and none of the effects before it")
        #expect(node.unsynced == [])
        node.timeOut()
        node.receive(from: 2, term: 5, .voteRequest(last: id(9, 9), isTransfer: false))
        #expect(node.said() == [])
        #expect(node.takeEvents().isEmpty)
        #expect(node.core.nextDeadline == .never)
    }

    @Test(arguments: [
        // Applied beyond the log, or behind what is cut off.
        RestoredState(membership: Membership(voters: [1]), applied: 1),
        RestoredState(membership: Membership(voters: [1]), truncated: id(1, 3), lastIndex: 3, commit: 3, applied: 2),
        // Committed beyond the log: the disk has lost entries.
        .log(terms: [1], commit: 2),
        // A log from the future.
        .log(terms: [1, 5], term: 4),
        // Terms that fall, runs that leave a hole or lie outside.
        RestoredState(
            hardState: HardState(term: 9), membership: Membership(voters: [1]), termRuns: [id(3, 1), id(2, 2)],
            lastIndex: 2, unapplied: entries(terms: [3, 2])),
        RestoredState(
            hardState: HardState(term: 9), membership: Membership(voters: [1]), termRuns: [id(1, 2)], lastIndex: 2,
            unapplied: entries(terms: [1, 1])),
        RestoredState(
            hardState: HardState(term: 9), membership: Membership(voters: [1]), termRuns: [id(1, 1), id(2, 4)],
            lastIndex: 2, unapplied: entries(terms: [1, 1])),
        RestoredState(hardState: HardState(term: 9), membership: Membership(voters: [1]), lastIndex: 1),
        // Entries that do not fit.
        RestoredState(
            hardState: HardState(term: 9), membership: Membership(voters: [1]), termRuns: [id(1, 1)], lastIndex: 2,
            unapplied: entries(terms: [1])),
        RestoredState(
            hardState: HardState(term: 9), membership: Membership(voters: [1]), termRuns: [id(1, 1)], lastIndex: 1,
            unapplied: entries(terms: [2])),
    ])
    func `a restored state that cannot be`(_ restored: RestoredState) {
        var core = RaftCore(
            configuration: Configuration(group: group, node: 1, seed: 1), restored: restored, now: .zero)
        let effects = core.drainEffects()
        #expect(effects.count == 1)
        guard case .violated(let violation)? = effects.first else {
            Issue.record("no violation")
            return
        }
        #expect(violation.rule == "restored-state")
        #expect(core.drainEffects().isEmpty)
    }
}

@Suite("Peers that send what cannot be")
struct MisbehaviourTests {
    private func follower() -> TestNode {
        var node = TestNode(restored: .log(terms: [1, 1]))
        node.follow(2, term: 2)
        return node
    }

    @Test func `an entry whose checksum does not fit is not appended`() {
        var node = follower()
        let good = entry(2, 3, "good")
        let damaged = Entry(id: id(2, 4), kind: .normal, payload: "bad", checksum: 1)
        node.receive(from: 2, term: 2, .appendRequest(previous: id(1, 2), entries: [good, damaged], commit: 4))
        #expect(node.takeMisbehaviour() == [2])
        #expect(node.said() == [])
        #expect(node.core.lastIndex == 2)
        #expect(node.core.commitIndex == 0)
        node.receive(from: 2, term: 2, .appendRequest(previous: id(1, 2), entries: [good], commit: 0))
        #expect(node.said() == [Said(2, 2, .appendAccepted(matched: 3))])
    }

    @Test func `entries of another group do not fit`() {
        var node = follower()
        let foreign = Entry(group: GroupID(2), id: id(2, 3), kind: .normal, payload: "x")
        node.receive(from: 2, term: 2, .appendRequest(previous: id(1, 2), entries: [foreign], commit: 0))
        #expect(node.takeMisbehaviour() == [2])
    }

    @Test(
        arguments: [
            // A hole; a repeat; a term that falls; a term that is not yet; a previous entry that is not yet; overflow.
            (id(1, 2), [entry(2, 4)]), (id(1, 2), [entry(2, 3), entry(2, 3)]), (id(1, 2), [entry(2, 3), entry(1, 4)]),
            (id(1, 2), [entry(3, 3)]), (id(3, 2), []), (EntryID(term: 1, index: LogIndex(.max)), []),
            (id(2, 2), [entry(1, 3)]),
        ] as [(EntryID, [Entry])])
    func `entries that are no part of a log`(previous: EntryID, sent: [Entry]) {
        var node = follower()
        node.receive(from: 2, term: 2, .appendRequest(previous: previous, entries: sent, commit: 0))
        #expect(node.takeMisbehaviour() == [2])
        #expect(node.said() == [])
        #expect(node.core.lastIndex == 2)
    }

    @Test func `acknowledgements of what was never sent`() {
        var node = TestNode.leader()
        node.receive(from: 2, term: 1, .appendAccepted(matched: 2))
        node.receive(from: 2, term: 1, .heartbeatResponse(round: 1))
        #expect(node.takeMisbehaviour() == [2, 2])
        #expect(node.core.commitIndex == 0)
    }

    @Test func `other groups, other receivers and itself`() {
        var node = TestNode()
        let vote = Message.Body.voteRequest(last: .zero, isTransfer: false)
        node.give(
            .received(Message(group: GroupID(2), from: 2, to: 1, term: 1, body: vote)),
            .received(Message(group: group, from: 2, to: 3, term: 1, body: vote)),
            .received(Message(group: group, from: 1, to: 1, term: 1, body: vote)))
        #expect(node.takeMisbehaviour() == [2, 2, 1])
        #expect(node.core.term == 0)
        #expect(node.said() == [])
    }

    /// It may be a member by a change that this node has not applied: whether it leads or campaigns, it knows more.
    @Test func `strangers are heard`() {
        var node = TestNode()
        node.receive(from: 9, term: 1, .voteRequest(last: .zero, isTransfer: false))
        #expect(node.said() == [Said(9, 1, .voteResponse(granted: true))])
        node.receive(from: 9, term: 1, .appendRequest(previous: .zero, entries: [entry(1, 1)], commit: 0))
        #expect(node.said() == [Said(9, 1, .appendAccepted(matched: 1))])
        #expect(node.core.leader == 9)
        #expect(node.takeMisbehaviour() == [])
    }

    @Test func `a leader counts nothing that strangers say`() {
        var node = TestNode.leader(configure: plain)
        for stranger in [7, 8, 9] as [NodeID] {
            node.receive(from: stranger, term: 1, .appendAccepted(matched: 1))
            node.receive(from: stranger, term: 1, .heartbeatResponse(round: 5))
        }
        #expect(node.core.commitIndex == 0)
        #expect(node.takeMisbehaviour() == [])
        var candidate = TestNode(configure: plain)
        candidate.timeOut()
        for stranger in [7, 8, 9] as [NodeID] {
            candidate.receive(from: stranger, term: 1, .voteResponse(granted: true))
        }
        #expect(candidate.core.role == .candidate)
    }

    @Test(arguments: [UInt64.max, UInt64.max - 1, UInt64.max / 2 + 1])
    func `a term that leaves no room for elections is nonsense`(_ term: UInt64) {
        var node = TestNode(2)
        node.receive(from: 1, term: Term(term), .heartbeat(commit: 0, round: 0, truncatable: 0))
        #expect(node.core.term == 0)
        #expect(node.takeMisbehaviour() == [1])
        for _ in 0..<3 { node.wait(.milliseconds(600)) }
        #expect(node.violation == nil)
    }
}
