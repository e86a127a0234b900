import ByteCoding
import Testing

@testable import Raft

/// Judges a whole group by what must hold across its nodes and over time (Raft paper, figure 3).
struct Checker {
    /// What one node still owes, and how much of it was judged.
    struct Ledger {
        /// Reads under way, and the highest index that was committed anywhere when they were asked for.
        var reads: [ReadToken: LogIndex] = [:]
        var proposals: [ProposalToken: EntryID] = [:]
        /// How much of `TestNode.applied` was checked, and after how many installed snapshots.
        fileprivate var checkedApplied = 0
        fileprivate var checkedInstalls = 0
    }

    /// Every entry that anyone ever committed, from index 1.
    private(set) var committed: [Entry] = []
    /// What was proposed under each token; no payload: a membership change.
    private var proposed: [ProposalToken: Bytes?] = [:]
    private(set) var lostPayloads: Set<Bytes> = []
    private(set) var readsAnswered = 0
    private(set) var leaders: [Term: NodeID] = [:]
    private var commitOf: [NodeID: LogIndex] = [:]
    private(set) var failure: String?

    var lastCommitted: LogIndex { LogIndex(UInt64(committed.count)) }

    /// Notes what a proposal carries, before it is made. Tokens must differ across the group.
    mutating func proposing(_ payload: Bytes?, token: ProposalToken) { proposed[token] = .some(payload) }

    mutating func fail(_ what: String) { if failure == nil { failure = what } }

    // MARK: After each step

    /// Committed entries never change, whoever speaks of them.
    ///
    /// - Returns: whether more is committed than anyone knew before.
    @discardableResult mutating func check(_ node: TestNode) -> Bool {
        let core = node.core
        guard core.commitIndex != commitOf[node.id] else { return false }
        commitOf[node.id] = core.commitIndex
        let known = min(core.commitIndex, lastCommitted)
        if known > core.log.base.index, core.log.term(at: known) != committed[Int(known.rawValue) - 1].term {
            fail("committed immutable: node \(node.id) has another entry \(known)")
        }
        guard core.commitIndex > lastCommitted else { return false }
        while lastCommitted < core.commitIndex { committed.append(node.entry(at: lastCommitted.next)) }
        if core.role == .leader, committed.last?.term != core.term {
            fail("leader \(node.id) of term \(core.term) committed \(committed.last!.id) last")
        }
        return true
    }

    /// What is committed is on the disks of a quorum.
    ///
    /// - Parameter memberships: those which the node that was the first to commit it may have had at that moment.
    mutating func checkDurable(_ nodes: [TestNode], in memberships: [Membership]) {
        guard let last = committed.last else { return }
        let holders = nodes.filter {
            $0.disk.truncated.index >= last.index || $0.disk.entry(at: last.index) == last
        }.map(\.id)
        if !memberships.contains(where: { Quorum.contains($0) { holders.contains($0) } }) {
            fail("durability: \(last.id) is on the disks of \(holders), no quorum of \(memberships)")
        }
    }

    mutating func check(_ event: Effect, of node: TestNode, _ ledger: inout Ledger) {
        switch event {
        case .roleChanged(let change):
            if change.role == .leader { checkLeader(node.core, term: change.term) }
        case .proposalAccepted(let token, let id): ledger.proposals[token] = id
        case .proposalResolved(let token, let outcome): checkOutcome(token, outcome, of: node, &ledger)
        case .readReady(let token, let index):
            guard let floor = ledger.reads.removeValue(forKey: token) else { return fail("read \(token) ready twice") }
            readsAnswered += 1
            if index < floor { fail("linearizable read: index \(index), but \(floor) was committed before") }
        case .readFailed(let token):
            if ledger.reads.removeValue(forKey: token) == nil { fail("read \(token) failed after its end") }
        case .violated(let violation): fail("node \(node.id): \(violation)")
        case .peerMisbehaved(let peer, let what): fail("node \(node.id) about \(peer): \(what)")
        case .membershipChanged(let membership): checkMembership(membership, of: node)
        case .membershipSettled, .proposalRefused, .transferEnded, .learnerCaughtUp, .persist, .send, .apply, .fetch,
            .sendSnapshot,
            .installSnapshot, .discardSnapshot:
            break
        }
    }

    /// One leader a term, and it holds everything that was committed before.
    private mutating func checkLeader(_ core: RaftCore, term: Term) {
        let node = core.configuration.node
        if let other = leaders[term], other != node { fail("election safety: \(other) and \(node) lead term \(term)") }
        leaders[term] = node
        for entry in committed where entry.index > core.log.base.index && core.log.term(at: entry.index) != entry.term {
            fail("leader completeness: leader \(node) of term \(term) lacks \(entry.id)")
        }
    }

    /// A membership has voters, and nobody is a learner and a voter.
    private mutating func checkMembership(_ membership: Membership, of node: TestNode) {
        let isSound =
            !membership.voters.isEmpty
            && !membership.learners.contains { membership.isVoter($0) }
            && membership.learnersNext.allSatisfy { membership.outgoing.contains($0) }
        if !isSound { fail("membership: node \(node.id) has \(membership)") }
    }

    private mutating func checkOutcome(
        _ token: ProposalToken, _ outcome: ProposalOutcome, of node: TestNode, _ ledger: inout Ledger
    ) {
        guard let id = ledger.proposals.removeValue(forKey: token) else {
            return fail("proposal \(token.rawValue) resolved twice, or never accepted")
        }
        check(node)
        guard id.index <= lastCommitted else {
            return fail("proposal \(token.rawValue) resolved, but only \(lastCommitted) is committed")
        }
        let entry = committed[Int(id.index.rawValue) - 1]
        switch outcome {
        case .committed(let where_):
            let isSame = proposed[token].flatMap { $0 }.map { $0 == entry.payload } ?? (entry.kind == .membership)
            if where_ != id || entry.id != id || !isSame {
                fail("proposal \(token.rawValue) accepted as \(id), said to be committed as \(where_): \(entry)")
            }
        case .lost:
            if entry.id == id { fail("proposal \(token.rawValue) is said to be lost, but \(id) is committed") }
            if let payload = proposed[token].flatMap({ $0 }) { lostPayloads.insert(payload) }
        case .unknown:
            if node.installs == 0 { fail("proposal \(token.rawValue) is unknown, but no snapshot was installed") }
        }
    }

    /// Every state machine holds the committed entries, in order.
    mutating func checkApplied(of node: TestNode, _ ledger: inout Ledger) {
        check(node)
        if ledger.checkedInstalls != node.installs {
            ledger.checkedInstalls = node.installs
            ledger.checkedApplied = 0
        }
        for entry in node.applied[ledger.checkedApplied...] {
            guard entry.index <= lastCommitted, committed[Int(entry.index.rawValue) - 1] == entry else {
                return fail("state machine safety: node \(node.id) applied \(entry.id)")
            }
            if entry.kind == .normal, lostPayloads.contains(entry.payload) {
                fail("lost proposal \(entry.payload.text) was applied")
            }
        }
        ledger.checkedApplied = node.applied.count
    }

    // MARK: From time to time

    /// Logs that share an entry share everything before it.
    mutating func checkLogs(_ nodes: [TestNode]) {
        for (place, a) in nodes.enumerated() {
            for b in nodes[(place + 1)...] { checkMatching(a.core, b.core) }
        }
    }

    private mutating func checkMatching(_ a: RaftCore, _ b: RaftCore) {
        let first = max(a.log.base.index, b.log.base.index)
        var index = min(a.lastIndex, b.lastIndex)
        while index > first, a.log.term(at: index) != b.log.term(at: index) { index = index.previous }
        while index > first {
            if a.log.term(at: index) != b.log.term(at: index) {
                return fail("log matching: nodes \(a.configuration.node) and \(b.configuration.node) at \(index)")
            }
            index = index.previous
        }
    }

    /// What is cut is on every disk. (Only in a group whose members stay, and that sends no snapshots.)
    mutating func checkTruncation(through index: LogIndex, _ nodes: [TestNode]) {
        for node in nodes
        where node.disk.truncated.index < index && node.disk.entry(at: index) != committed[Int(index.rawValue) - 1] {
            fail("truncation through \(index), which node \(node.id) does not hold")
        }
    }
}

extension TestNode {
    /// An entry of the core's log, from its memory or, when it has left that, from the disk.
    fileprivate func entry(at index: LogIndex) -> Entry {
        index >= core.log.firstCachedIndex
            ? core.log.slice(from: index, through: index, maxBytes: 0).entries[0] : disk.entry(at: index)!
    }
}
