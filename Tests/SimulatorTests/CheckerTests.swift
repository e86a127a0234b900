import ByteCoding
import KeyValue
import Raft
import Testing

@testable import Simulator

/// Each checker must be able to fail: what it forbids is shown to it here.
@Suite("Simulator: checkers")
struct CheckerTests {
    private let group = GroupID(1)
    private let membership = Membership(voters: [NodeID(1), NodeID(2), NodeID(3)])

    private func entry(_ term: UInt64, _ index: UInt64, _ text: String = "") -> Entry {
        Entry(group: group, id: EntryID(term: Term(term), index: LogIndex(index)), kind: .normal, payload: Bytes(text))
    }

    private func ledger(_ id: UInt64, _ entries: [Entry], durable: Bool = true) -> NodeLedger {
        let ledger = NodeLedger(id: NodeID(id), membership: membership)
        for entry in entries {
            ledger.given.append(EntryStamp(entry))
            if durable { ledger.durable.append(EntryStamp(entry)) }
        }
        return ledger
    }

    private func violation(_ body: () throws(Violation) -> Void) -> Invariant? {
        do throws(Violation) {
            try body()
            return nil
        } catch {
            return error.invariant
        }
    }

    // MARK: Elections

    /// An election of term 3 among three.
    private struct Election {
        var safety = ElectionSafety()
        var ledgers: [NodeLedger]

        init(_ ledgers: [NodeLedger]) { self.ledgers = ledgers }

        mutating func votes(_ voter: Int, for candidate: UInt64) -> Invariant? {
            do throws(Violation) {
                try safety.votes(ledgers[voter - 1], for: NodeID(candidate), in: Term(3))
                return nil
            } catch {
                return error.invariant
            }
        }

        /// A candidate's own vote is what its disk says.
        mutating func leads(_ node: Int, hasVoted: Bool = true, by memberships: [Membership]? = nil) -> Invariant? {
            let leader = ledgers[node - 1]
            if hasVoted { leader.durableHardState = HardState(term: Term(3), vote: leader.id) }
            do throws(Violation) {
                try safety.leads(leader, in: Term(3), by: memberships ?? leader.membershipsOfTurn)
                return nil
            } catch {
                return error.invariant
            }
        }
    }

    private var election: Election { Election([ledger(1, []), ledger(2, []), ledger(3, [])]) }

    @Test func `two leaders in a term`() {
        var election = election
        let votes = (election.votes(2, for: 1), election.votes(3, for: 1))
        #expect(votes == (nil, nil))
        let first = (election.leads(1), election.leads(1))
        #expect(first == (nil, nil))
        let second = election.leads(2)
        #expect(second == .electionSafety)
    }

    @Test func `a leader by its own vote alone, or with its own vote not on disk`() {
        var alone = election
        let lonely = alone.leads(1)
        #expect(lonely == .electionSafety)
        var early = election
        let vote = early.votes(2, for: 1)
        #expect(vote == nil)
        let unwritten = early.leads(1, hasVoted: false)
        #expect(unwritten == .electionSafety)
    }

    @Test func `a leader with one half of a joint configuration, or by what held earlier in the turn`() {
        var election = election
        let vote = election.votes(2, for: 1)
        #expect(vote == nil)
        let joint = Membership(voters: [NodeID(1), NodeID(3)], outgoing: [NodeID(1), NodeID(2)])
        var copy = election
        let byHalf = copy.leads(1, by: [joint])
        #expect(byHalf == .electionSafety)
        let byEarlier = election.leads(1, by: [Membership(voters: [NodeID(1), NodeID(2)]), joint])
        #expect(byEarlier == nil)
    }

    @Test func `a node that votes twice, unless its disk was lost in between`() {
        var election = election
        let first = (election.votes(3, for: 1), election.votes(3, for: 1))
        #expect(first == (nil, nil))
        let second = election.votes(3, for: 2)
        #expect(second == .electionSafety)
        election.ledgers[2] = NodeLedger(after: election.ledgers[2], membership: membership)
        let onAnotherDisk = election.votes(3, for: 2)
        #expect(onAnotherDisk == nil)
    }

    @Test func `a leader that removes entries`() {
        let node = ledger(1, [entry(1, 1)])
        node.leading = Term(2)
        let batch = PersistBatch(
            group: group, ticket: PersistTicket(1), truncateFrom: LogIndex(1), entries: [], commit: .zero)
        let found = violation { () throws(Violation) in try LeaderAppendOnly.check(batch, of: node, leading: Term(2)) }
        #expect(found == .leaderAppendOnly)
        let follower = violation { () throws(Violation) in try LeaderAppendOnly.check(batch, of: node, leading: nil) }
        #expect(follower == nil)
    }

    @Test func `one id with two contents, or after two terms`() {
        var matching = LogMatching()
        let first = violation { () throws(Violation) in
            try matching.append(entry(2, 5, "a"), after: Term(1), on: NodeID(1))
        }
        #expect(first == nil)
        let content = violation { () throws(Violation) in
            try matching.append(entry(2, 5, "b"), after: Term(1), on: NodeID(2))
        }
        #expect(content == .logMatching)
        let past = violation { () throws(Violation) in
            try matching.append(entry(2, 5, "a"), after: Term(2), on: NodeID(2))
        }
        #expect(past == .logMatching)
    }

    @Test func `a leader without a committed entry`() {
        var committed = CommittedLog()
        committed.append(.init(stamp: EntryStamp(entry(1, 1, "x")), committedIn: Term(1)))
        let complete = ledger(1, [entry(1, 1, "x")])
        let lacking = ledger(2, [entry(1, 1, "y")])
        func check(_ node: NodeLedger, _ term: UInt64) -> Invariant? {
            violation { () throws(Violation) in
                try LeaderCompleteness.check(node, of: Term(term), committed: committed)
            }
        }
        #expect(check(complete, 2) == nil)
        #expect(check(lacking, 2) == .leaderCompleteness)
        // A leader of the same term or an older one may lack it.
        #expect(check(lacking, 1) == nil)
    }

    @Test func `commits of a leader: another term's entry, too few disks, another entry than before`() {
        func commit(_ holders: [NodeLedger], _ index: UInt64, _ term: UInt64) -> Invariant? {
            var safety = CommitSafety()
            return violation { () throws(Violation) in
                try safety.advance(holders[0], to: LogIndex(index), term: Term(term), leading: true, others: holders)
            }
        }
        let log = [entry(1, 1), entry(2, 2)]
        let (one, two, three) = (ledger(1, log), ledger(2, log), ledger(3, []))
        #expect(commit([one, two, three], 2, 2) == nil)
        #expect(commit([one, two, three], 1, 2) == .commitInTerm)
        #expect(commit([one, ledger(2, log, durable: false), three], 2, 2) == .committedDurability)

        // Alone it is enough only by a membership that held earlier in the turn, and then only if it was.
        func commitAlone(_ earlier: [Membership]) -> Invariant? {
            var safety = CommitSafety()
            return violation { () throws(Violation) in
                try safety.advance(
                    one, to: LogIndex(2), term: Term(2), leading: true, others: [one, three], earlier: earlier)
            }
        }
        #expect(commitAlone([]) == .committedDurability)
        #expect(commitAlone([Membership(voters: [NodeID(1)])]) == nil)
        #expect(commitAlone([Membership(voters: [NodeID(1), NodeID(3)])]) == .committedDurability)
        let joint = Membership(voters: [NodeID(1)], outgoing: [NodeID(1), NodeID(3)])
        #expect(commitAlone([joint]) == .committedDurability)

        var safety = CommitSafety()
        let first = violation { () throws(Violation) in
            try safety.advance(one, to: LogIndex(2), term: Term(2), leading: true, others: [one, two, three])
        }
        #expect(first == nil)
        let other = ledger(3, [entry(1, 1), entry(3, 2)])
        let second = violation { () throws(Violation) in
            try safety.advance(other, to: LogIndex(2), term: Term(3), leading: false, others: [one, two, other])
        }
        #expect(second == .stateMachineSafety)
    }

    @Test func `a match that the follower's disk does not hold`() {
        let log = [entry(1, 1), entry(2, 2)]
        let leader = ledger(1, log)
        func check(_ follower: NodeLedger, _ index: UInt64, followerTerm: UInt64 = 2) -> Invariant? {
            follower.term = Term(followerTerm)
            return violation { () throws(Violation) in
                try CommitSafety.checkMatch(LogIndex(index), of: follower, by: leader, in: Term(2))
            }
        }
        #expect(check(ledger(2, log), 2) == nil)
        #expect(check(ledger(2, log, durable: false), 0) == nil)
        #expect(check(ledger(2, log, durable: false), 1) == .committedDurability)
        #expect(check(ledger(2, [entry(1, 1), entry(1, 2)]), 2) == .committedDurability)
        // It may have followed a later leader since.
        #expect(check(ledger(2, [entry(1, 1)]), 2, followerTerm: 3) == nil)
    }

    @Test func `what goes back in a life, and what is missing after it`() {
        let node = ledger(1, [entry(1, 1), entry(1, 2)])
        node.term = Term(4)
        node.durableHardState = HardState(term: Term(4), vote: NodeID(2))
        let back = violation { () throws(Violation) in
            try Monotonicity.check(node, term: Term(3), commit: .zero, applied: .zero)
        }
        #expect(back == .monotonicity)

        func restart(_ hardState: HardState, _ last: UInt64) -> Invariant? {
            let restored = RestoredState(
                hardState: hardState, membership: membership, termRuns: [entry(1, 1).id], lastIndex: LogIndex(last),
                unapplied: (1...last).map { entry(1, $0) })
            return violation { () throws(Violation) in try Monotonicity.checkRestart(node, restored) }
        }
        #expect(restart(node.durableHardState, 2) == nil)
        #expect(restart(node.durableHardState, 1) == .committedDurability)
        #expect(restart(HardState(term: Term(4)), 2) == .committedDurability)
        // A write under way may have survived.
        node.pending = [
            PersistBatch(group: group, ticket: PersistTicket(1), entries: [entry(1, 3)], commit: .zero)
        ]
        #expect(restart(node.durableHardState, 3) == nil)
        #expect(restart(node.durableHardState, 2) == nil)
    }

    @Test func `promises that are not on the disk`() {
        let node = ledger(1, [entry(1, 1)])
        node.durableHardState = HardState(term: Term(2), vote: NodeID(3))
        func send(_ body: Message.Body, term: UInt64, to: UInt64) -> Invariant? {
            let message = Message(group: group, from: NodeID(1), to: NodeID(to), term: Term(term), body: body)
            return violation { () throws(Violation) in
                try DurablePromises.check(message, from: node, leader: ledger(2, [entry(2, 1)]))
            }
        }
        #expect(send(.voteResponse(granted: true), term: 2, to: 3) == nil)
        #expect(send(.voteResponse(granted: true), term: 2, to: 2) == .durablePromises)
        #expect(send(.voteResponse(granted: true), term: 3, to: 3) == .durablePromises)
        #expect(send(.voteResponse(granted: false), term: 3, to: 3) == nil)
        #expect(send(.appendAccepted(matched: LogIndex(2)), term: 2, to: 2) == .durablePromises)
        // The index is there, with another entry than the leader's.
        #expect(send(.appendAccepted(matched: LogIndex(1)), term: 2, to: 2) == .durablePromises)
    }

    @Test func `a read index from before the question`() {
        var reads = ReadFreshness()
        let token = ReadToken(incarnation: 1, count: 1)
        reads.asked(token, committed: LogIndex(5))
        let stale = violation { () throws(Violation) in
            try reads.answered(token, index: LogIndex(4), on: NodeID(1))
        }
        #expect(stale == .readFreshness)
        let unasked = violation { () throws(Violation) in
            try reads.answered(token, index: LogIndex(9), on: NodeID(1))
        }
        #expect(unasked == .readFreshness)
    }

    @Test func `configurations whose majorities need not meet`() {
        func meet(_ old: [UInt64], _ new: [UInt64], out: [UInt64] = []) -> Bool {
            ConfigurationSafety.everyMajorityMeets(
                Membership(voters: old.map { NodeID($0) }),
                Membership(voters: new.map { NodeID($0) }, outgoing: out.map { NodeID($0) }))
        }
        #expect(meet([1, 2, 3], [1, 2, 3, 4]))
        #expect(meet([1], [1, 2]))
        #expect(!meet([1, 2, 3], [1, 2, 3, 4, 5]))
        #expect(!meet([1, 2, 3], [4, 5, 6]))
        #expect(meet([1, 2, 3], [4, 5, 6], out: [1, 2, 3]))
    }

    @Test func `a leader that has missed two changes of earlier terms`() {
        var committed = CommittedLog()
        for index in UInt64(1)...3 {
            let id = EntryID(term: Term(1), index: LogIndex(index))
            let change = Entry(group: group, id: id, kind: index == 2 ? .noop : .membership, payload: Bytes())
            committed.append(.init(stamp: EntryStamp(change), committedIn: Term(index == 3 ? 5 : 1)))
        }
        func check(applied: UInt64, term: UInt64) -> Invariant? {
            let node = ledger(1, [])
            node.applied = LogIndex(applied)
            return violation { () throws(Violation) in
                try ConfigurationSafety.checkLeader(node, of: Term(term), committed: committed)
            }
        }
        #expect(check(applied: 0, term: 6) == .configurationSafety)
        #expect(check(applied: 1, term: 6) == nil)
        // An election of long ago may come to its end late.
        #expect(check(applied: 0, term: 5) == nil)
    }

    @Test func `a candidate that knows of a change and counts without it`() {
        let node = ledger(1, [])
        for index in UInt64(1)...2 {
            let id = EntryID(term: Term(1), index: LogIndex(index))
            node.given.append(
                EntryStamp(Entry(group: group, id: id, kind: index == 2 ? .membership : .noop, payload: Bytes())))
        }
        func campaign(applied: UInt64, commit: UInt64) -> Invariant? {
            (node.applied, node.earlierCommit) = (LogIndex(applied), LogIndex(commit))
            return violation { () throws(Violation) in
                try ConfigurationSafety.checkCandidate(node, of: Term(2))
            }
        }
        #expect(campaign(applied: 1, commit: 2) == .configurationSafety)
        #expect(campaign(applied: 1, commit: 1) == nil)
        #expect(campaign(applied: 2, commit: 2) == nil)
    }

    @Test func `a removal that is called settled while a majority may not know of it`() {
        let two = Membership(voters: [NodeID(1), NodeID(2)])
        let one = Membership(voters: [NodeID(2)])
        func settle(_ durableCommit: UInt64, _ new: Membership) -> Invariant? {
            var safety = ConfigurationSafety()
            let (leaver, heir) = (ledger(1, []), ledger(2, []))
            leaver.durableCommit = LogIndex(9)
            heir.durableCommit = LogIndex(durableCommit)
            return violation { () throws(Violation) in
                try safety.applied(LogIndex(7), from: two, to: new, on: NodeID(1))
                try safety.settled(through: LogIndex(7), on: NodeID(1), [leaver, heir])
            }
        }
        #expect(settle(6, one) == .configurationSafety)
        #expect(settle(7, one) == nil)
        // Nobody lost a vote.
        #expect(settle(6, Membership(voters: two.voters, learners: [NodeID(3)])) == nil)
    }

    @Test func `memberships count until a later one is settled`() throws {
        let three = Membership(voters: [NodeID(1), NodeID(2), NodeID(3)])
        let two = Membership(voters: [NodeID(1), NodeID(2)])
        let informed = ledger(1, [])
        informed.durableCommit = LogIndex(20)
        var safety = ConfigurationSafety()
        #expect(safety.current == [])
        try safety.applied(LogIndex(4), from: two, to: three, on: NodeID(1))
        #expect(safety.current == [two, three])
        try safety.settled(through: LogIndex(5), on: NodeID(1), [informed])
        try safety.applied(LogIndex(9), from: three, to: two, on: NodeID(1))
        #expect(safety.current == [three, two])
        try safety.settled(through: LogIndex(9), on: NodeID(1), [informed])
        #expect(safety.current == [two])
    }

    @Test func `a token that stands twice in a value`() {
        #expect(violation { () throws(Violation) in try ExactlyOnce.check("v1;+2;+3;", of: "k") } == nil)
        #expect(violation { () throws(Violation) in try ExactlyOnce.check("v1;+2;+2;", of: "k") } == .exactlyOnce)
    }

    @Test func `a proposal that is said to be lost and is committed`() {
        var outcomes = ProposalOutcomes()
        var committed = CommittedLog()
        committed.append(.init(stamp: EntryStamp(entry(1, 1)), committedIn: Term(1)))
        outcomes.accepted(ProposalToken(1), of: 1, as: entry(1, 1).id)
        let found = violation { () throws(Violation) in
            try outcomes.resolved(ProposalToken(1), of: 1, .lost, committed: committed)
        }
        #expect(found == .proposalOutcome)
    }

    @Test func `a state that differs from the reference`() throws {
        var replicas = ReplicaEquality(group: group)
        func block(_ value: Bytes) -> Bytes {
            let segment = ClientOperation.set(key: 1, value: value).segment(once: nil)
            return Block.encode(stamp: 1, segments: [segment.sign(Origin(node: 1, incarnation: 1, sequence: 1))])
        }
        let id = EntryID(term: Term(1), index: LogIndex(1))
        try replicas.apply(Entry(group: group, id: id, kind: .normal, payload: block("right")))
        for (value, expected) in [("right", Invariant?.none), ("wrong", .replicaEquality)] as [(Bytes, Invariant?)] {
            let store = SimulatedState()
            let machine = KeyValueMachine(store: store, group: group.rawValue)
            let unit = ApplyUnit(position: Bytes(), index: 1, payload: block(value))
            try machine.apply([unit], settlingFor: 0, incarnation: 0) { _, _ in }
            let found = violation { () throws(Violation) in
                try replicas.compare(store.tree, at: LogIndex(1), of: NodeID(2), .replicaEquality)
            }
            #expect(found == expected)
        }
        #expect(replicas.compared == 2)
    }

    @Test func `a stale read makes a history impossible, and there is a picture of it`() {
        var history = ClientHistory()
        func at(_ milliseconds: UInt64) -> WorldTime {
            WorldTime(nanoseconds: milliseconds * Nanoseconds.perMillisecond)
        }
        let write = history.begin(.set(key: 0, value: "new;"), by: 0, at: at(1))
        history.end(write, .wrote(integer: nil, isNull: false), at: at(2))
        let read = history.begin(.get(key: 0), by: 1, at: at(3))
        history.end(read, .read(nil), at: at(4))
        var check = HistoryCheck()
        let found = violation { () throws(Violation) in
            try check.check(history, title: "test", until: at(5))
        }
        #expect(found == .linearizability)
        #expect(check.picture?.contains("<svg") == true)
    }

    @Test func `a local read that misses what a client was told of`() {
        var reads = ReadFreshness()
        reads.acknowledged(LogIndex(5))
        reads.acknowledged(LogIndex(3))
        func answer(_ applied: UInt64) -> Invariant? {
            violation { () throws(Violation) in
                try reads.answeredLocally(at: LogIndex(applied), on: NodeID(1))
            }
        }
        #expect(answer(5) == nil)
        #expect(answer(4) == .readFreshness)
    }

    @Test func `a snapshot of nothing, of another entry, with another membership, and before the log`() {
        var committed = CommittedLog()
        committed.append(.init(stamp: EntryStamp(entry(1, 1)), committedIn: Term(1)))
        committed.append(.init(stamp: EntryStamp(entry(1, 2)), committedIn: Term(1)))
        func check(_ term: UInt64, _ index: UInt64, known: Membership?) -> Invariant? {
            let meta = SnapshotMeta(id: entry(term, index).id, membership: membership)
            return violation { () throws(Violation) in
                try SnapshotFidelity.check(meta, on: ledger(1, []), committed: committed, membership: known)
            }
        }
        #expect(check(1, 2, known: nil) == nil)
        #expect(check(1, 2, known: membership) == nil)
        #expect(check(1, 3, known: nil) == .snapshotFidelity)
        #expect(check(2, 2, known: nil) == .snapshotFidelity)
        #expect(check(1, 2, known: Membership(voters: [NodeID(1)])) == .snapshotFidelity)

        let sender = ledger(1, [entry(1, 1), entry(1, 2)])
        sender.given.compact(through: entry(1, 2).id)
        func offer(_ index: UInt64) -> Invariant? {
            let meta = SnapshotMeta(id: entry(1, index).id, membership: membership)
            return violation { () throws(Violation) in try SnapshotFidelity.checkOffer(meta, by: sender) }
        }
        #expect(offer(2) == nil)
        #expect(offer(1) == .snapshotFidelity)
    }

    @Test func `a snapshot's state that is not that of its index`() throws {
        var replicas = ReplicaEquality(group: group)
        func block(_ value: Bytes) -> Bytes {
            let segment = ClientOperation.set(key: 1, value: value).segment(once: nil)
            return Block.encode(stamp: 1, segments: [segment.sign(Origin(node: 1, incarnation: 1, sequence: 1))])
        }
        let store = SimulatedState()
        let machine = KeyValueMachine(store: store, group: group.rawValue)
        for index in UInt64(1)...2 {
            let id = EntryID(term: Term(1), index: LogIndex(index))
            let payload = block(Bytes("v\(index)"))
            try replicas.apply(Entry(group: group, id: id, kind: .normal, payload: payload))
            let unit = ApplyUnit(position: Bytes(), index: index, payload: payload)
            try machine.apply([unit], settlingFor: 0, incarnation: 0) { _, _ in }
        }
        func compare(_ index: UInt64) -> Invariant? {
            violation { () throws(Violation) in
                try replicas.compare(store.tree, at: LogIndex(index), of: NodeID(2), .snapshotFidelity)
            }
        }
        #expect(compare(2) == nil)
        // Off by one.
        #expect(compare(1) == .snapshotFidelity)
    }

    @Test func `an entry that is applied damaged, too early, or in another's place`() {
        var committed = CommittedLog()
        committed.append(.init(stamp: EntryStamp(entry(1, 1, "x")), committedIn: Term(1)))
        func check(_ entry: Entry) -> Invariant? {
            violation { () throws(Violation) in
                try Integrity.check(entry, of: group, on: NodeID(1), committed: committed)
            }
        }
        #expect(check(entry(1, 1, "x")) == nil)
        let whole = entry(1, 1, "x")
        let damaged = Entry(id: whole.id, kind: whole.kind, payload: "y", checksum: whole.checksum)
        #expect(check(damaged) == .integrity)
        #expect(check(entry(1, 2, "x")) == .stateMachineSafety)
        #expect(check(entry(1, 1, "y")) == .stateMachineSafety)
    }

    @Test func `what grows beyond its limit`() {
        var limits = SwarmOptions.CoreOptions()
        limits.maxInflightMessages = 2
        limits.maxInflightBytes = 100
        limits.maxAppendBytes = 10
        limits.maxUncommittedBytes = 100
        func check(_ change: (inout Boundedness.Footprint) -> Void) -> Invariant? {
            var footprint = Boundedness.Footprint(node: NodeID(1))
            change(&footprint)
            return violation { () throws(Violation) in
                try Boundedness.check(footprint, limits: limits, largest: 50)
            }
        }
        #expect(check { $0.inflightMessages = [2, 2] } == nil)
        #expect(check { $0.inflightMessages = [2, 3] } == .boundedness)
        #expect(check { $0.uncommittedBytes = 1_000 } == nil)
        #expect(check { $0.uncommittedBytes = 1_175 } == .boundedness)
        #expect(check { $0.unwrittenBytes = 50_000 } == nil)
        #expect(check { $0.unwrittenBytes = 60_000 } == .boundedness)
        #expect(check { $0.unappliedBytes = 257 << 20 } == .boundedness)
        #expect(check { $0.unappliedBytes = 256 << 20 } == nil)
        #expect(check { $0.snapshotFiles = 5 } == nil)
        #expect(check { $0.snapshotFiles = 6 } == .boundedness)
        #expect(check { $0.openReads = 1_001 } == .boundedness)
    }

    @Test func `a leader that goes on with a disk that hangs`() {
        func check(_ milliseconds: Int) -> Invariant? {
            violation { () throws(Violation) in
                try Boundedness.checkStall(NodeID(1), .milliseconds(milliseconds), limit: .milliseconds(20))
            }
        }
        #expect(check(20) == nil)
        #expect(check(21) == .boundedness)
    }

    @Test func `a leader that keeps its log for a member that is gone`() {
        func check(truncatable: UInt64, commit: UInt64 = 500, retained: Int = 10) -> Invariant? {
            violation { () throws(Violation) in
                try Boundedness.checkRetention(
                    NodeID(1), truncatable: LogIndex(truncatable), commit: LogIndex(commit), last: LogIndex(500),
                    maxRetainedEntries: retained)
            }
        }
        #expect(check(truncatable: 460) == nil)
        #expect(check(truncatable: 459) == .boundedness)
        #expect(check(truncatable: 20, commit: 20) == nil)
        #expect(check(truncatable: 0, retained: 1_000_000) == nil)
    }

    @Test func `an acknowledgement that was lost with its disk counted when it was given`() {
        let node = NodeLedger(id: NodeID(1), membership: membership)
        #expect(!node.holdsDurably(LogIndex(1), Term(1)))
        node.durable.append(EntryStamp(entry(1, 1)))
        // Twice: what the first disk held counts still.
        let third = NodeLedger(after: NodeLedger(after: node, membership: membership), membership: membership)
        #expect(third.durable.lastIndex == .zero)
        #expect(third.holdsDurably(LogIndex(1), Term(1)))
        #expect(!third.holdsDurably(LogIndex(2), Term(1)))
    }
}
