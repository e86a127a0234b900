import ByteCoding
import Testing

@testable import Raft

/// Most of these can't be broken from outside: so the state is bent until they are. A check that nothing sets off might
/// as well not be there.
@Suite("Every rule that the core checks on itself can stop it")
struct RuleTests {
    @Test(arguments: Rule.allCases)
    func `it is noticed, and nothing else is done`(rule: Rule) throws {
        var core = try broken(rule)
        let effects = core.drainEffects()
        #expect(effects.count == 1)
        guard case .violated(let violation)? = effects.first else {
            Issue.record("\(effects)")
            return
        }
        #expect(violation.rule == rule.rawValue, "\(violation)")
        #expect(core.drainEffects().isEmpty)
    }

    /// A core that has just broken the rule.
    private func broken(_ rule: Rule) throws -> RaftCore {
        var core: RaftCore
        switch rule {
        case .termRegressed:
            core = leader()
            core.hardState = HardState(term: 0)
        case .voteChanged:
            core = leader()
            core.hardState.vote = 3
        case .commitRegressed:
            core = TestNode(restored: .log(terms: [1, 1], commit: 2)).core
            core.log = Log(after: .zero)
        case .leaderAppendOnly:
            core = leader()
            core.log.truncate(from: 1)
        case .indexOrder:
            core = leader()
            core.persistence = PersistQueue(lastIndex: 9)
        case .progressOrder:
            core = committedLeader().core
            core.peers[0].sent(through: 9, bytes: 1, commit: 0)
        case .leaderNotVoter:
            core = committedLeader().core
            core.membership = Membership(voters: [2, 3])
        case .committedEntryTruncated:
            core = TestNode(restored: .log(terms: [1, 1], commit: 2)).core
            core.tell(
                3, .appendRequest(previous: id(1, 1), entries: entries(terms: [3, 3], after: 1), commit: 0), term: 3)
        case .twoLeaders:
            core = leader()
            core.tell(3, .heartbeat(commit: 0, round: 0, truncatable: 0), term: 1)
        case .commitBeyondLog:
            core = TestNode(restored: .log(terms: [1])).core
            core.tell(2, .heartbeat(commit: 5, round: 0, truncatable: 0), term: 1)
        case .commitInTerm:
            core = TestNode.leader(restored: .log(terms: [1])).core
            core.commit(through: 1)
        case .promiseNotDurable: core = try earlyPromise()
        case .applyOrder:
            core = TestNode(restored: .log(terms: [1, 1])).core
            let terms = try #require(TermRuns(base: .zero, runs: [id(1, 1)], lastIndex: 2))
            core.log = Log(terms: terms, unapplied: [entry(1, 2), entry(1, 3)], commit: 2, applied: 0)
        case .readIndex:
            core = committedLeader().core
            core.reads.awaitRound(ReadQueue.Request(token: read(1), follower: nil, floor: 9), index: 1)
            core.reads.startRound(at: core.now)
            core.reads.confirmed(core.reads.round)
            core.confirmReads()
        case .leaseQuorum: core = emptyLease()
        case .twoChanges:
            core = committedLeader().core
            core.step(.membershipChangeProposed(ProposalToken(1), MembershipChange([.addLearner(4)])), at: core.now)
            core.leadership.pendingMembershipIndex = .zero
            core.step(.membershipChangeProposed(ProposalToken(2), MembershipChange([.addLearner(5)])), at: core.now)
        case .membershipInvalid:
            core = leader()
            core.adopt(Membership(voters: [1, 2], learners: [2]))
        case .membershipUnknown:
            core = applying(MembershipChange([.addVoter(4)]).encode(), voters: [])
        case .membershipChange: core = applying("no change", voters: [1, 2, 3])
        case .restoredState:
            let configuration = Configuration(group: group, node: 1, seed: 1)
            core = RaftCore(configuration: configuration, restored: .log(terms: [1], commit: 2), now: .zero)
        case .ticketUnknown:
            core = leader()
            core.step(.persisted(PersistTicket(99)), at: core.now)
        case .appliedTooFar:
            core = leader()
            core.step(.applied(1), at: core.now)
        case .cutTooFar:
            core = leader()
            core.step(.compacted(id(1, 1)), at: core.now)
        case .snapshotUnknown:
            core = TestNode().core
            let meta = SnapshotMeta(id: id(1, 5), membership: Membership(voters: [1, 2, 3]))
            core.step(.snapshotInstalled(meta), at: core.now)
        }
        core.step(.timeAdvanced, at: core.now)
        return core
    }

    /// Of term 1, with its first entry durable and not committed.
    private func leader() -> RaftCore { TestNode.leader().core }

    private func committedLeader(configure: (inout Configuration) -> Void = { _ in }) -> TestNode {
        var node = TestNode.leader(configure: configure)
        node.receive(from: 2, term: 1, .appendAccepted(matched: 1))
        #expect(node.core.commitIndex == 1)
        return node
    }

    /// The disk reports one entry; what waits for that acknowledges nine.
    private func earlyPromise() throws -> RaftCore {
        var node = TestNode(syncsAtOnce: false)
        node.receive(from: 2, term: 1, .appendRequest(previous: .zero, entries: [entry(1, 1)], commit: 0))
        let ticket = try #require(node.unsynced.last).ticket
        var core = node.core
        let message = Message(group: group, from: 1, to: 2, term: 1, body: .appendAccepted(matched: 9))
        let isHeld = core.persistence.hold(message, untilDurable: 9)
        #expect(isHeld)
        core.step(.persisted(ticket), at: core.now)
        return core
    }

    /// A round counts as answered by a quorum of which nobody was heard.
    private func emptyLease() -> RaftCore {
        var node = committedLeader { $0.leaseReads = true }
        node.wait(node.configuration.heartbeatInterval)
        var core = node.core
        for place in core.peers.indices {
            core.peers[place].heard(at: .zero)
            core.peers[place].heartbeatAnswered(round: core.reads.round)
        }
        core.confirmReads()
        return core
    }

    /// Is told that a change of the membership is committed, and has applied it.
    private func applying(_ payload: Bytes, voters: [NodeID]) -> RaftCore {
        let configuration = Configuration(group: group, node: 1, seed: 1)
        let restored = RestoredState(membership: Membership(voters: voters))
        var core = RaftCore(configuration: configuration, restored: restored, now: .zero)
        let change = Entry(group: group, id: id(1, 1), kind: .membership, payload: payload)
        core.tell(2, .appendRequest(previous: .zero, entries: [change], commit: 1), term: 1)
        for case .persist(let batch) in core.drainEffects() { core.step(.persisted(batch.ticket), at: core.now) }
        for case .apply(let entries) in core.drainEffects() {
            if let last = entries.last { core.step(.applied(last.index), at: core.now) }
        }
        return core
    }
}

extension RaftCore {
    fileprivate mutating func tell(_ sender: NodeID, _ body: Message.Body, term: Term) {
        step(.received(Message(group: group, from: sender, to: 1, term: term, body: body)), at: now)
    }
}
