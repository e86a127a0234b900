import ByteCoding
import Testing

@testable import Raft

/// Judges a whole group by what must hold across its nodes and over time (Raft paper, figure 3).
struct Checker {
    private let voters: [NodeID]
    /// Every entry that anyone ever committed, from index 1.
    private(set) var committed: [Entry] = []
    private(set) var lostPayloads: Set<String> = []
    private(set) var readsAnswered = 0
    private(set) var leaders: [Term: NodeID] = [:]
    private var commitOf: [NodeID: LogIndex] = [:]
    private(set) var failure: String?

    init(voters: [NodeID]) { self.voters = voters }

    var lastCommitted: LogIndex { LogIndex(UInt64(committed.count)) }

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

    /// What is committed is on a majority of the disks.
    mutating func checkDurable(_ nodes: [TestNode]) {
        guard let last = committed.last else { return }
        let holders = nodes.count {
            $0.disk.truncated.index >= last.index || $0.disk.entry(at: last.index) == last
        }
        if holders <= voters.count / 2 { fail("durability: \(last.id) is on \(holders) disks") }
    }

    mutating func check(_ event: Effect, of node: inout Chaos.Node) {
        switch event {
        case .roleChanged(let change):
            if change.role == .leader { checkLeader(node.test.core, term: change.term) }
        case .proposalAccepted(let token, let id): node.proposals[token] = id
        case .proposalResolved(let token, let outcome): checkOutcome(token, outcome, of: &node)
        case .readReady(let token, let index):
            guard let floor = node.reads.removeValue(forKey: token) else { return fail("read \(token) ready twice") }
            readsAnswered += 1
            if index < floor { fail("linearizable read: index \(index), but \(floor) was committed before") }
        case .readFailed(let token):
            if node.reads.removeValue(forKey: token) == nil { fail("read \(token) failed after its end") }
        case .violated(let violation): fail("node \(node.test.id): \(violation)")
        case .peerMisbehaved(let peer, let what): fail("node \(node.test.id) about \(peer): \(what)")
        case .snapshotNeeded(let peer): fail("node \(node.test.id) cut what \(peer) needs")
        case .proposalRefused, .persist, .send, .apply, .fetch: break
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

    private mutating func checkOutcome(_ token: ProposalToken, _ outcome: ProposalOutcome, of node: inout Chaos.Node) {
        guard let id = node.proposals.removeValue(forKey: token) else {
            return fail("proposal \(token.rawValue) resolved twice, or never accepted")
        }
        check(node.test)
        let entry = committed[Int(id.index.rawValue) - 1]
        switch outcome {
        case .committed(let where_):
            if where_ != id || entry.id != id || entry.payload.text != "\(token.rawValue)" {
                fail("proposal \(token.rawValue) accepted as \(id), said to be committed as \(where_): \(entry)")
            }
        case .lost:
            if entry.id == id { fail("proposal \(token.rawValue) is said to be lost, but \(id) is committed") }
            lostPayloads.insert("\(token.rawValue)")
        }
    }

    /// Every state machine applies the committed entries in order.
    mutating func checkApplied(of node: inout Chaos.Node) {
        check(node.test)
        let applied = node.test.applied
        for entry in applied[node.checkedApplied...] {
            guard entry.index <= lastCommitted, committed[Int(entry.index.rawValue) - 1] == entry else {
                return fail("state machine safety: node \(node.test.id) applied \(entry.id)")
            }
            if lostPayloads.contains(entry.payload.text) { fail("lost proposal \(entry.payload.text) was applied") }
        }
        node.checkedApplied = applied.count
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

    /// What is cut is on every disk.
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
